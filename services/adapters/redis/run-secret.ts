import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

const SECRET_BYTES = 32;

/**
 * The 32 random bytes by which api processes and workers know each other, made by the first that
 * asks. Nothing that leaves the installation is signed with it.
 * @throws DependencyError `STORE_UNAVAILABLE`
 */
export async function loadRunSecret(redis: Redis, prefix: string): Promise<Buffer> {
  const { runSecret } = keysOf(prefix);
  const fresh = randomBytes(SECRET_BYTES).toString('base64');
  const stored = await inStore(async () => {
    await redis.setnx(runSecret, fresh);
    return redis.get(runSecret);
  });
  return Buffer.from(stored ?? fresh, 'base64');
}
