import { describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { RedisHousekeepingStore } from '#adapters/redis/housekeeping-store';
import { NodeHeartbeat } from '#adapters/redis/heartbeat';
import { redisViewerPasts } from '#adapters/redis/viewer-pasts';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import type { DomainEvent } from '#events';
import { systemClock, systemTimers } from '#kernel/clock';
import { asClientId, asStreamId, newNodeEpoch, newSessionId } from '#kernel/ids';
import type { NodeEpoch } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import { Housekeeping } from '../../workers/housekeeping.worker.ts';
import { FACTS, STREAM, aDefinition, anEvent, changes } from '../support/events.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';

const prefix = 'test';
const DEAD = 'dead' as NodeEpoch;

async function factsOf(redis: Redis) {
  const entries = await redis.xrange('test:events', '-', '+');
  return entries.map(([, fields]) => (JSON.parse(fields[1] ?? '') as DomainEvent).fact);
}

async function start() {
  const server = await startRedis();
  const redis = await server.connect();
  const logger = silentLogger;
  const journal = new RedisStateJournal({ redis, prefix, origin: 'a', eventLogMax: 1_000, logger });
  const store = new RedisHousekeepingStore({ redis, prefix, eventLogMax: 1_000 });
  return {
    server,
    redis,
    journal,
    store,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function startKeeper(
  server: Awaited<ReturnType<typeof startRedis>>,
  streamTtlMs: number,
): Promise<Housekeeping> {
  return new Housekeeping({
    store: new RedisHousekeepingStore({
      redis: await server.connect(),
      prefix,
      eventLogMax: 1_000,
    }),
    streamTtlMs,
    clock: systemClock,
    timers: systemTimers,
    logger: silentLogger,
  });
}

const stopped = (reason: 'inactive_timeout' | 'node_lost'): DomainEvent =>
  anEvent({ fact: { type: 'stream_stopped', reason, bytesServed: 0 } });
const left = (): DomainEvent => anEvent({ fact: FACTS.client_disconnected });

describe('expiry', () => {
  it('removes an idle stream after its time to live, once, with two workers at it', async () => {
    await using test = await start();
    const { redis, journal, server } = test;
    await journal.commit([changes.saved(), changes.opened()]);
    const keepers = await Promise.all([startKeeper(server, 300), startKeeper(server, 300)]);
    await eventually('it is gone', async () => (await redis.hlen('test:streams')) === 0);
    await Promise.all(keepers.map((keeper) => keeper.close()));
    expect(await factsOf(redis)).toEqual([
      FACTS.stream_started,
      { type: 'stream_stopped', reason: 'inactive_timeout', bytesServed: 0 },
    ]);
    expect(await redis.exists('test:touched', 'test:open')).toBe(0);
  });

  it('says nothing of a stream that was not open', async () => {
    await using test = await start();
    await test.journal.commit([changes.saved()]);
    await eventually('it is old', async () => (await test.store.expired(50)).length === 1);
    const told = { ttlMs: 50, stopped: stopped('inactive_timeout') };
    expect(await test.store.expire(STREAM, told)).toBe(true);
    expect(await factsOf(test.redis)).toEqual([]);
  });

  it('spares a stream that was touched after it was found', async () => {
    await using test = await start();
    const { journal, store, redis } = test;
    await journal.commit([changes.saved(), changes.opened()]);
    await redis.zadd('test:touched', 1, STREAM);
    expect(await store.expired(60_000)).toEqual([{ id: STREAM, metadata: {} }]);
    await journal.commit([changes.saved()]);
    const told = { ttlMs: 60_000, stopped: stopped('inactive_timeout') };
    expect(await store.expire(STREAM, told)).toBe(false);
    expect(await redis.hlen('test:streams')).toBe(1);
  });

  it('spares a stream that somebody watches, and counts it as used', async () => {
    await using test = await start();
    const { journal, store, redis } = test;
    await journal.commit([changes.saved(), changes.joined()]);
    await redis.zadd('test:touched', 1, STREAM);
    expect(await store.expired(60_000)).toEqual([]);
    expect(Number(await redis.zscore('test:touched', STREAM))).toBeGreaterThan(1);
    await redis.zadd('test:touched', 1, STREAM);
    const told = { ttlMs: 60_000, stopped: stopped('inactive_timeout') };
    expect(await store.expire(STREAM, told)).toBe(false);
  });

  it("takes the stream's metadata into the event", async () => {
    await using test = await start();
    const definition = aDefinition({ metadata: { id: '7', provider_profile_id: '3' } });
    await test.journal.commit([changes.saved(definition)]);
    await test.redis.zadd('test:touched', 1, STREAM);
    expect(await test.store.expired(1_000)).toEqual([
      { id: STREAM, metadata: definition.metadata },
    ]);
  });
});

describe('a lost node', () => {
  it('is one without a heartbeat', async () => {
    await using test = await start();
    const epoch = newNodeEpoch();
    const heartbeat = new NodeHeartbeat({ redis: test.redis, prefix, epoch });
    await test.journal.commit([changes.joined(newSessionId(), epoch)]);
    await test.journal.commit([changes.joined(newSessionId(), DEAD)]);
    expect(await test.store.silentNodes()).toEqual([DEAD]);
    await heartbeat.close();
  });

  it('has its viewers ended, and their streams with the last viewer', async () => {
    await using test = await start();
    const { journal, redis, server } = test;
    const living = newNodeEpoch();
    const heartbeat = new NodeHeartbeat({ redis, prefix, epoch: living });
    const other = asStreamId('f'.repeat(32));
    const survivor = newSessionId();
    await journal.commit([
      changes.opened(),
      changes.opened(other),
      changes.joined(newSessionId(), DEAD, { clientId: asClientId('one') }),
      changes.joined(newSessionId(), DEAD, { clientId: asClientId('two') }),
    ]);
    const common = { kind: 'viewer-joined', polls: false } as const;
    const joined = (name: string): DomainEvent =>
      anEvent({ streamId: other, fact: { ...FACTS.client_connected, clientId: asClientId(name) } });
    await journal.commit([
      { ...common, sessionId: newSessionId(), node: DEAD, event: joined('three') },
      { ...common, sessionId: survivor, node: living, event: joined('four') },
    ]);
    const keepers = await Promise.all([startKeeper(server, 0), startKeeper(server, 0)]);
    await eventually('the node is forgotten', async () => {
      return !(await redis.smembers('test:nodes')).includes(DEAD);
    });
    await Promise.all(keepers.map((keeper) => keeper.close()));
    await heartbeat.close();
    const told = (await factsOf(redis)).slice(5).map(({ type }) => type);
    expect(told.toSorted()).toEqual([
      'client_connected',
      'client_disconnected',
      'client_disconnected',
      'client_disconnected',
      'stream_stopped',
    ]);
    expect(await redis.hkeys('test:viewers')).toEqual([survivor]);
    expect(await redis.hkeys('test:open')).toEqual([other]);
  });

  it('is told to have left with what was last written down of it, and leaves nothing behind', async () => {
    await using test = await start();
    const { journal, redis, store } = test;
    const lost = newSessionId();
    await journal.commit([changes.opened(), changes.joined(lost, DEAD)]);
    redisViewerPasts(redis, prefix).save([
      { sessionId: lost, bytesServed: 5_000, segmentsServed: 9 },
      { sessionId: newSessionId(), bytesServed: 1, segmentsServed: 1 },
    ]);
    const keeper = await startKeeper(test.server, 0);
    await eventually('it is told', async () => (await factsOf(redis)).length === 4);
    await keeper.close();
    expect((await factsOf(redis)).at(2)).toMatchObject({
      type: 'client_disconnected',
      reason: 'node_lost',
      bytesServed: 5_000,
      segmentsServed: 9,
    });
    expect(await store.viewersOf(DEAD)).toEqual([]);
    expect(await redis.exists('test:present', 'test:counts', `test:watching:${STREAM}`)).toBe(0);
  });

  it('is ended in silence where its viewer watches on elsewhere, with what it was served', async () => {
    await using test = await start();
    const { journal, redis, server } = test;
    const heartbeats = [newNodeEpoch(), newNodeEpoch()].map((epoch) => ({
      epoch,
      beat: new NodeHeartbeat({ redis, prefix, epoch }),
    }));
    const [old, next] = heartbeats;
    const [before, after] = [newSessionId(), newSessionId()];
    await journal.commit([changes.opened(), changes.joined(before, old?.epoch)]);
    redisViewerPasts(redis, prefix).save([
      { sessionId: before, bytesServed: 700, segmentsServed: 0 },
    ]);
    // It is back before anybody can know that the first process is dead.
    await journal.commit([changes.joined(after, next?.epoch)]);
    expect((await factsOf(redis)).map(({ type }) => type)).toEqual([
      'stream_started',
      'client_connected',
    ]);
    await old?.beat.close();
    const keeper = await startKeeper(server, 0);
    await eventually('the session is off the record', async () => {
      return (await redis.hlen('test:viewers')) === 1;
    });
    await keeper.close();
    await journal.commit([
      changes.left(after, { bytesServed: 300 }),
      changes.closed('last_client_disconnected'),
    ]);
    await next?.beat.close();
    const told = await factsOf(redis);
    expect(told.map(({ type }) => type)).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
    expect(told[2]).toMatchObject({ bytesServed: 1_000 });
    expect(await redis.exists('test:present', 'test:counts', 'test:viewers')).toBe(0);
  });

  it('is ended once, even if it comes back and ends its viewers itself', async () => {
    await using test = await start();
    const { journal, store, redis } = test;
    const sessionId = newSessionId();
    await journal.commit([changes.opened(), changes.joined(sessionId, DEAD)]);
    const [viewer] = await store.viewersOf(DEAD);
    if (!viewer) throw new Error('No viewer on record.');
    await Promise.all([
      store.endViewer(viewer, { left: left(), stopped: stopped('node_lost') }),
      journal.commit([changes.left(sessionId), changes.closed('last_client_disconnected')]),
      store.endViewer(viewer, { left: left(), stopped: stopped('node_lost') }),
    ]);
    expect((await factsOf(redis)).map(({ type }) => type)).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
  });
});
