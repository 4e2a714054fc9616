import type { Redis } from 'ioredis';
import type { ProfileStore, UserProfile } from '#transcode';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

/** Transcode profiles in one hash. Streams hold their own copy: nobody has to be told of a change. */
export function redisProfileStore(redis: Redis, prefix: string): ProfileStore {
  const { profiles } = keysOf(prefix);
  return {
    async list() {
      const texts = await inStore(() => redis.hvals(profiles));
      return texts.map(parse).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    },
    async find(name) {
      const text = await inStore(() => redis.hget(profiles, name));
      return text === null ? undefined : parse(text);
    },
    async save(profile) {
      await inStore(() => redis.hset(profiles, profile.name, JSON.stringify(profile)));
    },
    async remove(name) {
      return (await inStore(() => redis.hdel(profiles, name))) === 1;
    },
  };
}

const parse = (text: string): UserProfile => JSON.parse(text) as UserProfile;
