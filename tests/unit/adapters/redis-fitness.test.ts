import { describe, expect, it } from 'vitest';
import { parseInfo, problemOf } from '#adapters/redis/await-redis';

const INFO =
  '# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n';

describe('whether a Redis is fit', () => {
  it('is read from INFO', () => {
    expect(parseInfo(INFO)).toMatchObject({
      redis_version: '7.0.15',
      maxmemory_policy: 'noeviction',
    });
  });

  it.each(['6.2.0', '6.2.14', '7.0.15', '7.2.4', '8.0.1', '10.0.0'])(
    'allows version %s',
    (redis_version) => {
      expect(problemOf({ redis_version, maxmemory_policy: 'noeviction' })).toBeUndefined();
    },
  );

  it.each(['6.0.16', '5.0.14', '2.8.4', ''])('refuses version %o', (redis_version) => {
    expect(problemOf({ redis_version })).toBe('Redis 6.2 or newer is needed.');
  });

  it.each(['allkeys-lru', 'allkeys-random', 'volatile-ttl', 'volatile-lfu'])(
    'refuses the policy %s',
    (maxmemory_policy) => {
      expect(problemOf({ redis_version: '7.0.0', maxmemory_policy })).toContain('noeviction');
    },
  );

  it('does not refuse a server that keeps its policy to itself', () => {
    expect(problemOf({ redis_version: '7.0.0', maxmemory_policy: undefined })).toBeUndefined();
  });
});
