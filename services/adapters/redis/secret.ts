import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

const SECRET_BYTES = 32;

/**
 * The 32 random bytes that all processes of this installation share, made by the first that asks.
 *
 * @throws DependencyError `STORE_UNAVAILABLE`
 */
export async function loadSecret(redis: Redis, prefix: string): Promise<Buffer> {
  const key = keysOf(prefix).secret;
  const fresh = randomBytes(SECRET_BYTES).toString('base64');
  const stored = await inStore(async () => {
    await redis.setnx(key, fresh);
    return redis.get(key);
  });
  return Buffer.from(stored ?? fresh, 'base64');
}
