import type { Redis } from 'ioredis';
import type { NumberStore } from '#delivery';
import type { NodeEpoch, StreamId } from '#kernel/ids';
import { hlsNumbersKey } from './keys.ts';

/** Longer than an api process remembers a stream that nobody asks for. */
const KEPT_MS = 600_000;

/** Numbers in one expiring key per stream: who saved them, a space, and what was saved. */
export function redisNumberStore(redis: Redis, prefix: string, node: NodeEpoch): NumberStore {
  const keyOf = (id: StreamId): string => hlsNumbersKey(prefix) + id;
  return {
    async load(id) {
      const replies = await redis
        .multi()
        .get(keyOf(id))
        .pttl(keyOf(id))
        .exec()
        .catch(() => null);
      const [value, leftMs] = (replies ?? []).map(([, reply]) => reply);
      if (typeof value !== 'string') return undefined;
      const end = value.indexOf(' ');
      const isOwn = value.slice(0, end) === node;
      return { text: value.slice(end + 1), ageMs: KEPT_MS - Number(leftMs), isOwn };
    },
    save(id, text) {
      redis.set(keyOf(id), `${node} ${text}`, 'PX', KEPT_MS).catch(() => {}); // Once a minute anyway.
    },
    drop(id) {
      redis.del(keyOf(id)).catch(() => {}); // It expires.
    },
  };
}
