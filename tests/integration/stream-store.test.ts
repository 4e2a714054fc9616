import { describe, expect, it } from 'vitest';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import { RedisStreamStore } from '#adapters/redis/stream-store';
import { streamIdOf } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import type { StreamDefinition } from '#streams';
import { STREAM, aDefinition } from '../support/events.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';

const prefix = 'test';

/** One process: its journal and its store. */
async function startNode(server: TestRedis, origin: string) {
  const redis = await server.connect();
  const subscriber = await server.connect('subscriber');
  const logger = silentLogger;
  const changes = new ChangeFeed({ redis: subscriber, prefix, origin, logger });
  const store = new RedisStreamStore({ redis, prefix, changes, logger });
  const journal = new RedisStateJournal({ redis, prefix, origin, eventLogMax: 1_000, logger });
  const heard: StreamId[] = [];
  store.onChange((id) => void heard.push(id));
  await changes.subscribed();
  const save = (definition: StreamDefinition): Promise<void> =>
    journal.commit([{ kind: 'stream-saved', definition }]);
  const remove = (streamId: StreamId): Promise<void> =>
    journal.commit([{ kind: 'stream-removed', streamId }]);
  return { redis, store, journal, heard, save, remove };
}

const numbered = (n: number): StreamDefinition => {
  const url = `http://a.example/${n}.ts`;
  return aDefinition({ url, id: streamIdOf(url), metadata: { n: String(n) } });
};

describe('the stream store', () => {
  it('gives back every definition as it was saved', async () => {
    await using server = await startRedis();
    const node = await startNode(server, 'a');
    const saved = Array.from({ length: 2_500 }, (_, n) => numbered(n));
    await Promise.all(saved.map(node.save));
    const loaded = await node.store.loadAll();
    const byNumber = loaded.toSorted((a, b) => Number(a.metadata['n']) - Number(b.metadata['n']));
    expect(byNumber).toEqual(saved);
  });

  it('finds one, or nothing', async () => {
    await using server = await startRedis();
    const node = await startNode(server, 'a');
    await node.save(aDefinition());
    expect(await node.store.find(STREAM)).toEqual(aDefinition());
    await node.remove(STREAM);
    expect(await node.store.find(STREAM)).toBeUndefined();
  });

  it('passes over what it cannot read', async () => {
    await using server = await startRedis();
    const node = await startNode(server, 'a');
    await node.redis.hset('test:streams', 'broken', '{', 'newer', '{"v":2}');
    await node.save(aDefinition());
    expect(await node.store.loadAll()).toEqual([aDefinition()]);
  });

  it('tells of what other processes save and remove, and not of our own', async () => {
    await using server = await startRedis();
    const here = await startNode(server, 'here');
    const there = await startNode(server, 'there');
    await there.save(aDefinition());
    await there.remove(STREAM);
    await eventually('both are heard', () => here.heard.length === 2);
    expect(here.heard).toEqual([STREAM, STREAM]);
    expect(there.heard).toEqual([]);
  });

  it('tells of everything after it may have missed something', async () => {
    await using server = await startRedis();
    const here = await startNode(server, 'here');
    await here.save(numbered(1));
    await here.save(numbered(2));
    await here.store.loadAll();
    // Only this process's subscription breaks; meanwhile another one makes changes.
    const there = await startNode(server, 'there');
    await there.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await there.remove(numbered(1).id);
    await there.save(numbered(3));
    const wanted = [1, 2, 3].map((n) => numbered(n).id);
    await eventually('all are told', () => wanted.every((id) => here.heard.includes(id)));
    expect(await here.store.find(numbered(1).id)).toBeUndefined();
  });

  it('postpones expiry of streams that exist, a second later at the latest', async () => {
    await using server = await startRedis();
    const node = await startNode(server, 'a');
    await node.save(aDefinition());
    await node.redis.zadd('test:touched', 1, STREAM);
    node.store.touch([STREAM, numbered(9).id]);
    node.store.touch([STREAM]);
    await eventually(
      'it is touched',
      async () => Number(await node.redis.zscore('test:touched', STREAM)) > 1,
    );
    expect(await node.redis.zcard('test:touched')).toBe(1);
    await node.store.close();
  });

  it('keeps touches while Redis is away, and writes them when it closes', async () => {
    await using server = await startRedis();
    const node = await startNode(server, 'a');
    await node.save(aDefinition());
    await node.redis.zadd('test:touched', 1, STREAM);
    await server.kill();
    node.store.touch([STREAM]);
    await server.start();
    await eventually('it is back', () => node.redis.status === 'ready');
    await node.store.close();
    expect(Number(await node.redis.zscore('test:touched', STREAM))).toBeGreaterThan(1);
  });

  it('says so when Redis is away', async () => {
    await using server = await startRedis();
    const node = await startNode(server, 'a');
    await server.kill();
    await expect(node.store.find(STREAM)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(node.store.loadAll()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
