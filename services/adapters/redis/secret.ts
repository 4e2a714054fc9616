import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { SecretStore } from '#access';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

const SECRET_BYTES = 32;
/** The one in use and the two before it are kept in any case. */
const LEAST_SECRETS = 3;
/** Beside them those that were in use within the last day: players hold links of theirs. */
const KEPT_MS = 24 * 3600 * 1000;
const MOST_SECRETS = 16;
const SEPARATOR = ',';

/** A secret, and behind a dot when it was replaced, in milliseconds of Redis' clock. */
const ROTATE_LUA = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('GET', KEYS[1])
local all = { ARGV[1] }
for one in string.gmatch(known or '', '[^,]+') do
  local secret, replaced = string.match(one, '^([^.]+)%.?(%d*)$')
  replaced = tonumber(replaced) or now
  local isDue = #all < ${LEAST_SECRETS} or now - replaced < ${KEPT_MS}
  if isDue and #all < ${MOST_SECRETS} then
    all[#all + 1] = secret .. '.' .. string.format('%.0f', replaced)
  end
end
redis.call('SET', KEYS[1], table.concat(all, ','))
redis.call('PUBLISH', ARGV[2], ARGV[3])
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
      const args = [newSecret(), channel, told];
      await inStore(() => redis.eval(ROTATE_LUA, 1, key, ...args));
    },
    onChange(listener) {
      changes.listen({ secret: listener, gap: listener });
    },
  };
}

const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64');

const fromText = (text: string): Buffer => Buffer.from(text.split('.')[0] ?? '', 'base64');
