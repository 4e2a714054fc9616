import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { SecretStore } from '#access';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

const SECRET_BYTES = 32;
/** The one in use and the two before it. */
const MAX_SECRETS = 3;
const SEPARATOR = ',';

const ROTATE_LUA = `
local known = redis.call('GET', KEYS[1])
local all = { ARGV[1] }
for one in string.gmatch(known or '', '[^,]+') do
  if #all < tonumber(ARGV[2]) then all[#all + 1] = one end
end
redis.call('SET', KEYS[1], table.concat(all, ','))
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
`;

/** Random secrets, made here: the first by whichever process asks first. */
export function redisSecretStore(redis: Redis, prefix: string, changes: ChangeFeed): SecretStore {
  const { secret: key, changes: channel } = keysOf(prefix);
  return {
    async load() {
      const fresh = newSecret();
      const stored = await inStore(async () => {
        await redis.setnx(key, fresh);
        return redis.get(key);
      });
      const [first = fresh, ...rest] = (stored ?? fresh).split(SEPARATOR);
      return [fromText(first), ...rest.map(fromText)];
    },
    async rotate() {
      const told = noteText({ kind: 'secret' });
      const args = [newSecret(), String(MAX_SECRETS), channel, told];
      await inStore(() => redis.eval(ROTATE_LUA, 1, key, ...args));
    },
    onChange(listener) {
      changes.listen({ secret: listener, gap: listener });
    },
  };
}

const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64');

const fromText = (text: string): Buffer => Buffer.from(text, 'base64');
