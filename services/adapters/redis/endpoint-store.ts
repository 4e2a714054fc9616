import type { Redis } from 'ioredis';
import type { EndpointId } from '#kernel/ids';
import type { Endpoint, EndpointStore } from '#webhooks';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { inStore, transact } from './store-errors.ts';

/** Endpoints in one hash; every change is told to the workers at once. */
export function redisEndpointStore(redis: Redis, prefix: string): EndpointStore {
  const { endpoints, changes } = keysOf(prefix);
  const told = noteText({ kind: 'endpoints' });
  return {
    async list() {
      const texts = await inStore(() => redis.hvals(endpoints));
      return texts.map(parse).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    },
    async find(id) {
      const text = await inStore(() => redis.hget(endpoints, id));
      return text === null ? undefined : parse(text);
    },
    async save(endpoint) {
      const text = JSON.stringify(endpoint);
      await transact(redis.multi().hset(endpoints, endpoint.id, text).publish(changes, told));
    },
    async remove(id: EndpointId) {
      const [removed] = await transact(redis.multi().hdel(endpoints, id).publish(changes, told));
      return removed === 1;
    },
  };
}

const parse = (text: string): Endpoint => JSON.parse(text) as Endpoint;
