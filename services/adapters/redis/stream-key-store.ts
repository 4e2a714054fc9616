import type { Redis } from 'ioredis';
import type { StreamKey, StreamKeyStore } from '#access';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { inStore, transact } from './store-errors.ts';

/** Stream keys in one hash; every change is told to all processes at once. */
export function redisStreamKeyStore(
  redis: Redis,
  prefix: string,
  feed: ChangeFeed,
): StreamKeyStore {
  const { streamKeys, changes } = keysOf(prefix);
  const told = noteText({ kind: 'stream-keys' });
  return {
    async list() {
      const texts = await inStore(() => redis.hvals(streamKeys));
      return texts.map(parse).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    },
    async save(key) {
      const text = JSON.stringify(key);
      await transact(redis.multi().hset(streamKeys, key.id, text).publish(changes, told));
    },
    async remove(id) {
      const [removed] = await transact(redis.multi().hdel(streamKeys, id).publish(changes, told));
      return removed === 1;
    },
    onChange(listener) {
      feed.listen({ streamKeys: listener, gap: listener });
    },
  };
}

const parse = (text: string): StreamKey => JSON.parse(text) as StreamKey;
