import type { Redis } from 'ioredis';
import type { BegunStore } from '#access';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

/** Nobody comes back to a viewing that began so long ago, in seconds: a week. */
const KEPT_S = 7 * 24 * 3600;
/** As many as a process remembers. */
const KEPT = 16_384;

/** Begun viewings in one sorted set, the newest last; every one is told to all processes at once. */
export function redisBegunStore(redis: Redis, prefix: string, feed: ChangeFeed): BegunStore {
  const { begun, changes } = keysOf(prefix);
  return {
    async newest(count) {
      const newest = await inStore(() => redis.zrevrange(begun, 0, count - 1));
      return newest.toReversed();
    },
    save(digest) {
      const told = noteText({ kind: 'begun', digest });
      const commands = redis.multi().zadd(begun, Date.now(), digest).expire(begun, KEPT_S);
      const bounded = commands.zremrangebyrank(begun, 0, -KEPT - 1).publish(changes, told);
      bounded.exec().catch(() => {}); // Then only this process knows.
    },
    onBegun(listener) {
      feed.listen({ begun: listener });
    },
  };
}
