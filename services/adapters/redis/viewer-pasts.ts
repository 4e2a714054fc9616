import type { Redis } from 'ioredis';
import type { ViewerPasts } from '#streams';
import { keysOf, presenceKeysOf } from './keys.ts';

/** Only sessions on record are counted: what has ended leaves nothing behind. */
const SAVE_LUA = `
for at = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
end
return 1
`;

/** What was taken over becomes what the process itself has counted. */
const TAKE_LUA = `
local past = redis.call('HGET', KEYS[1], ARGV[1] .. '+')
if not past then return nil end
redis.call('HDEL', KEYS[1], ARGV[1] .. '+')
redis.call('HSET', KEYS[1], ARGV[1], string.match(past, '^%d+ %d+'))
return past
`;

/** Sessions per command: a script holds up everybody else. */
const PAGE = 500;

/** What viewers were served, as `presence-script.ts` reads and leaves it. */
export function redisViewerPasts(redis: Redis, prefix: string): ViewerPasts {
  const { viewers } = keysOf(prefix);
  const { counts } = presenceKeysOf(prefix);
  return {
    save(saved) {
      for (let at = 0; at < saved.length; at += PAGE) {
        const values = saved
          .slice(at, at + PAGE)
          .flatMap((one) => [one.sessionId, `${one.bytesServed} ${one.segmentsServed}`]);
        redis.eval(SAVE_LUA, 2, viewers, counts, ...values).catch(() => {}); // Written again soon.
      }
    },
    async take(sessionId) {
      const text = await redis.eval(TAKE_LUA, 1, counts, sessionId).catch(() => null);
      if (typeof text !== 'string') return undefined;
      const [bytesServed = 0, segmentsServed = 0, sinceMs = 0] = text.split(' ').map(Number);
      return { bytesServed, segmentsServed, sinceMs };
    },
  };
}
