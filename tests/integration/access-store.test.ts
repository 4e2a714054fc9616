import { describe, expect, it } from 'vitest';
import { AccessControl } from '#access';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { redisSecretStore } from '#adapters/redis/secret';
import { redisStreamKeyStore } from '#adapters/redis/stream-key-store';
import { asClientId, streamIdOf } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import { accessOptions } from '../support/fake-access.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';

const STREAM = streamIdOf('http://p.example/a.ts');
const PREFIX = 'test';

async function storesOn(server: TestRedis, origin: string) {
  const [redis, subscriber] = [await server.connect(), await server.connect('subscriber')];
  const changes = new ChangeFeed({
    redis: subscriber,
    prefix: PREFIX,
    origin,
    logger: silentLogger,
  });
  await changes.subscribed();
  return {
    secretStore: redisSecretStore(redis, PREFIX, changes),
    keyStore: redisStreamKeyStore(redis, PREFIX, changes),
  };
}

describe('the shared secret', () => {
  it('is made once, whoever asks first', async () => {
    await using server = await startRedis();
    const stores = await Promise.all(['a', 'b', 'c'].map((origin) => storesOn(server, origin)));
    const rings = await Promise.all(stores.map(({ secretStore }) => secretStore.load()));
    expect(rings[0]).toHaveLength(1);
    expect(rings[0]?.[0]).toHaveLength(32);
    expect(new Set(rings.map(([secret]) => secret.toString('hex'))).size).toBe(1);
  });

  it('is rotated for all processes, survives a restart, and keeps those of the last day', async () => {
    await using server = await startRedis();
    const [here, there] = [await storesOn(server, 'a'), await storesOn(server, 'b')];
    const [a, b] = [
      await AccessControl.open(accessOptions(here)),
      await AccessControl.open(accessOptions(there)),
    ];
    const [first] = a.ring.secrets;
    for (const size of [2, 3, 4, 5]) {
      await a.rotateSecret();
      expect(a.ring.secrets).toHaveLength(size);
    }
    expect(a.ring.secrets).toContainEqual(first);
    await eventually('the other has them', () => b.ring.secrets[0].equals(a.ring.secrets[0]));
    await server.kill();
    await server.start();
    const loaded = () => here.secretStore.load().catch(() => []);
    await eventually('redis is back', async () => (await loaded()).length > 0);
    expect(await loaded()).toEqual(a.ring.secrets);
  });

  it('is dropped a day after it was replaced, but for two, and of many the oldest goes', async () => {
    await using server = await startRedis();
    const { secretStore } = await storesOn(server, 'a');
    const redis = await server.connect();
    const [secrets, dayAgo] = [['a', 'b', 'c', 'd'], Date.now() - 25 * 3600 * 1000];
    const stored = secrets.map((text, n) => `${btoa(text)}${n === 0 ? '' : `.${dayAgo}`}`);
    await redis.set('test:secret', stored.join(','));
    await secretStore.rotate();
    const [, ...kept] = await secretStore.load();
    expect(kept.map(String)).toEqual(['a', 'b']);
    for (let count = 0; count < 20; count += 1) await secretStore.rotate();
    expect(await secretStore.load()).toHaveLength(16);
  });

  it('of an earlier version, one alone, is taken over', async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const old = Buffer.alloc(32, 5);
    await redis.set(`${PREFIX}:secret`, old.toString('base64'));
    const { secretStore } = await storesOn(server, 'a');
    expect(await secretStore.load()).toEqual([old]);
    await secretStore.rotate();
    expect((await secretStore.load())[1]).toEqual(old);
  });
});

describe('stream keys', () => {
  it('are known to all processes at once, and end everywhere when they are revoked', async () => {
    await using server = await startRedis();
    const revoked: string[] = [];
    const access = await AccessControl.open(accessOptions(await storesOn(server, 'a')));
    const other = await AccessControl.open(
      accessOptions({ ...(await storesOn(server, 'b')), revoked: (id) => revoked.push(id) }),
    );
    const { record, key } = await access.keys.add({ name: 'Ann' });
    await eventually('the other knows it', () => other.keys.find(key) !== undefined);
    const asked = {
      streamId: STREAM,
      address: '192.0.2.1',
      userAgent: 'x',
      clientId: asClientId('c'),
      isChild: false,
      pass: undefined,
      link: undefined,
      keys: [key],
    };
    expect(other.gate.admit(asked).username).toBe('Ann');
    await access.keys.remove(record.id);
    await eventually('the other knows that it is revoked', () => revoked.length > 0);
    expect(revoked).toEqual([record.id]);
  });

  it('are kept by their digests alone', async () => {
    await using server = await startRedis();
    const access = await AccessControl.open(accessOptions(await storesOn(server, 'a')));
    const { key } = await access.keys.add({ name: null });
    const redis = await server.connect();
    expect(JSON.stringify(await redis.hgetall(`${PREFIX}:stream-keys`))).not.toContain(key);
  });

  it('that changed while the connection was broken are read again', async () => {
    await using server = await startRedis();
    const access = await AccessControl.open(accessOptions(await storesOn(server, 'a')));
    const { record, key } = await access.keys.add({ name: null });
    const redis = await server.connect();
    await redis.hdel(`${PREFIX}:stream-keys`, record.id);
    expect(access.keys.find(key)).toBeDefined();
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually('the gap is seen', () => access.keys.find(key) === undefined);
  });
});
