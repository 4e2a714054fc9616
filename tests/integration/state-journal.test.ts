import { describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import type { DomainEvent } from '#events';
import { redisViewerPasts } from '#adapters/redis/viewer-pasts';
import { asClientId, newSessionId } from '#kernel/ids';
import type { NodeEpoch } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import { silentLogger } from '#kernel/logger';
import type { StateChange } from '#streams';
import { AT_MS, STREAM, aDefinition, changes } from '../support/events.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';

const PREFIX = 'test';
const [A, B, C] = ['a', 'b', 'c'] as [NodeEpoch, NodeEpoch, NodeEpoch];
const key = (name: string): string => `${PREFIX}:${name}`;

function journalOn(redis: Redis, options: { origin?: string; logger?: Logger } = {}) {
  const { origin = 'here', logger = silentLogger } = options;
  return new RedisStateJournal({ redis, prefix: PREFIX, origin, eventLogMax: 1_000_000, logger });
}

async function logOf(redis: Redis): Promise<DomainEvent[]> {
  const entries = await redis.xrange(key('events'), '-', '+');
  return entries.map(([, fields]) => JSON.parse(fields[1] ?? '') as DomainEvent);
}

const typesOf = async (redis: Redis): Promise<string[]> =>
  (await logOf(redis)).map(({ fact }) => fact.type);

async function start() {
  const server = await startRedis();
  const redis = await server.connect();
  const journal = journalOn(redis);
  return {
    server,
    redis,
    journal,
    async [Symbol.asyncDispose]() {
      await journal.close(100);
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the journal', () => {
  it('writes a stream and its event together, and tells other processes', async () => {
    await using test = await start();
    const { redis, journal } = test;
    const told: string[] = [];
    const subscriber = await test.server.connect('subscriber');
    subscriber.on('message', (_channel, text: string) => told.push(text));
    await subscriber.subscribe(key('changes'));
    await journal.commit([changes.saved(), changes.opened()]);
    expect(JSON.parse((await redis.hget(key('streams'), STREAM)) ?? '')).toEqual(aDefinition());
    expect(Number(await redis.zscore(key('touched'), STREAM))).toBeCloseTo(Date.now(), -4);
    expect(await typesOf(redis)).toEqual(['stream_started']);
    await eventually('the change is told', () => told.length === 1);
    expect(JSON.parse(told[0] ?? '')).toEqual({ kind: 'stream', id: STREAM, from: 'here' });
  });

  it('forgets a stream that is removed', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await journal.commit([changes.saved(), changes.opened()]);
    await journal.commit([changes.closed(), changes.removed()]);
    expect(await redis.exists(key('streams'), key('touched'), key('open'))).toBe(0);
    expect(await typesOf(redis)).toEqual(['stream_started', 'stream_stopped']);
  });

  it('tells of a start once until the stream has stopped', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await journal.commit([changes.opened(), changes.opened()]);
    await journal.commit([changes.opened(), changes.closed(), changes.opened()]);
    expect(await typesOf(redis)).toEqual(['stream_started', 'stream_stopped', 'stream_started']);
  });

  it('tells of a stop exactly once, however many close at the same time', async () => {
    await using test = await start();
    const { redis } = test;
    const journals = await Promise.all(
      Array.from({ length: 8 }, async () => journalOn(await test.server.connect())),
    );
    await test.journal.commit([changes.opened()]);
    await Promise.all(
      journals.flatMap((journal) =>
        Array.from({ length: 10 }, () => journal.commit([changes.closed()])),
      ),
    );
    expect(await typesOf(redis)).toEqual(['stream_started', 'stream_stopped']);
  });

  it('tells of a viewer that leaves only while it is on record', async () => {
    await using test = await start();
    const { redis, journal } = test;
    const id = newSessionId();
    await journal.commit([changes.joined(id)]);
    expect(await redis.hlen(key('viewers'))).toBe(1);
    await journal.commit([changes.left(id), changes.left(id)]);
    expect(await typesOf(redis)).toEqual(['client_connected', 'client_disconnected']);
    expect(await redis.exists(key('viewers'), key(`watching:${STREAM}`))).toBe(0);
  });

  it('takes a viewer over that polls elsewhere now, in silence, with what it was served', async () => {
    await using test = await start();
    const { redis, journal } = test;
    const pasts = redisViewerPasts(redis, PREFIX);
    const [first, second, third] = [newSessionId(), newSessionId(), newSessionId()];
    await journal.commit([changes.opened(), changes.joined(first, A, { polls: true })]);
    pasts.save([{ sessionId: first, bytesServed: 500, segmentsServed: 2 }]);
    await journal.commit([changes.joined(second, B, { polls: true })]);
    expect(await pasts.take(second)).toEqual({
      bytesServed: 500,
      segmentsServed: 2,
      sinceMs: AT_MS,
    });
    expect(await pasts.take(second)).toBeUndefined();
    // What was taken over is not lost with a process that dies before it writes anything down.
    await journal.commit([changes.joined(third, C, { polls: true })]);
    expect(await redis.hkeys(key('viewers'))).toEqual([third]);
    await journal.commit([changes.left(first), changes.closed('last_client_disconnected')]);
    expect(await typesOf(redis)).toEqual(['stream_started', 'client_connected']);
    await journal.commit([changes.left(third, { bytesServed: 1, segmentsServed: 1 })]);
    expect((await logOf(redis)).at(-1)?.fact).toMatchObject({
      type: 'client_disconnected',
      bytesServed: 501,
      segmentsServed: 3,
    });
    expect(await redis.exists(...['viewers', 'present', 'counts'].map(key))).toBe(0);
  });

  it('tells that a viewer with connections at two processes has left with the last', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await redis.mset(`${key('node')}:${A}`, '1', `${key('node')}:${B}`, '1');
    const [first, second] = [newSessionId(), newSessionId()];
    await journal.commit([changes.joined(first, A), changes.joined(second, B)]);
    await journal.commit([changes.left(first, { bytesServed: 10, segmentsServed: 0 })]);
    expect(await typesOf(redis)).toEqual(['client_connected']);
    await journal.commit([changes.left(second, { bytesServed: 7, segmentsServed: 0 })]);
    expect(await typesOf(redis)).toEqual(['client_connected', 'client_disconnected']);
    expect((await logOf(redis)).at(-1)?.fact).toMatchObject({ bytesServed: 17 });
    // The next time is a new one.
    await journal.commit([changes.joined()]);
    expect(await typesOf(redis)).toHaveLength(3);
  });

  it('takes viewers apart by their ids, and by their streams', async () => {
    await using test = await start();
    const { redis, journal } = test;
    const clientIds = ['a', 'b', 'a b'].map(asClientId);
    for (const clientId of clientIds) {
      await journal.commit([changes.joined(newSessionId(), A, { polls: true, clientId })]);
    }
    expect(await typesOf(redis)).toHaveLength(3);
    expect(await redis.hlen(key('viewers'))).toBe(3);
  });

  it('tells a switch once that two processes make, and again when it is another', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await journal.commit([changes.opened(), changes.moved(A), changes.moved(B)]);
    expect(await typesOf(redis)).toEqual(['stream_started', 'failover_triggered']);
    await journal.commit([
      changes.moved(B, { failoverIndex: 1 }), // Further.
      changes.moved(A), // A process that switches twice, switches twice.
      changes.moved(A),
      changes.moved(B, { cause: 'manual' }), // The app's own orders.
      changes.moved(A, { cause: 'manual' }),
    ]);
    expect(await typesOf(redis)).toHaveLength(7);
    await journal.commit([changes.moved(A), changes.closed(), changes.opened(), changes.moved(B)]);
    expect((await typesOf(redis)).slice(7)).toEqual([
      'failover_triggered',
      'stream_stopped',
      'stream_started',
      'failover_triggered',
    ]);
  });

  it.each(['last_client_disconnected', 'sources_failed'] as const)(
    'does not believe %s while another process has a viewer',
    async (reason) => {
      await using test = await start();
      const { redis, journal } = test;
      const elsewhere = newSessionId();
      await journal.commit([changes.opened(), changes.joined(elsewhere)]);
      await journal.commit([changes.closed(reason as 'last_client_disconnected')]);
      expect(await typesOf(redis)).not.toContain('stream_stopped');
      await journal.commit([
        changes.left(elsewhere),
        changes.closed(reason as 'last_client_disconnected'),
      ]);
      expect((await typesOf(redis)).at(-1)).toBe('stream_stopped');
    },
  );

  it('stops a watched stream that is deleted', async () => {
    await using test = await start();
    await test.journal.commit([changes.opened(), changes.joined(), changes.closed()]);
    expect(await typesOf(test.redis)).toContain('stream_stopped');
  });

  it('keeps a stream from expiring while viewers come and go, and none that is gone', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await journal.commit([changes.saved()]);
    await redis.zadd(key('touched'), 1, STREAM);
    const id = newSessionId();
    await journal.commit([changes.joined(id)]);
    expect(Number(await redis.zscore(key('touched'), STREAM))).toBeGreaterThan(1);
    await journal.commit([changes.removed(), changes.left(id)]);
    expect(await redis.zscore(key('touched'), STREAM)).toBeNull();
  });

  it('writes what was appended before what is committed later', async () => {
    await using test = await start();
    const { redis, journal } = test;
    const expected: string[] = [];
    for (let n = 0; n < 500; n++) {
      expected.push(`a${n}`);
      journal.append([changes.noted({ n: `a${n}` })]);
    }
    expected.push('commit');
    await journal.commit([changes.noted({ n: 'commit' })]);
    expect((await logOf(redis)).map(({ metadata }) => metadata['n'])).toEqual(expected);
  });

  it('refuses what Redis can never carry out, and goes on', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await redis.set(key('viewers'), 'not a hash');
    journal.append([changes.joined()]);
    await expect(journal.commit([changes.joined()])).rejects.toMatchObject({ code: 'INTERNAL' });
    await journal.commit([changes.noted()]);
    expect(await typesOf(redis)).toEqual(['failover_triggered']);
  });
});

describe('the journal without Redis', () => {
  it('keeps what is appended through a restart, in order, and loses nothing', async () => {
    await using test = await start();
    const { server, journal } = test;
    await journal.commit([changes.saved()]);
    const expected = Array.from({ length: 300 }, (_, n) => String(n));
    const append = (n: string): void => journal.append([changes.noted({ n })]);
    for (const n of expected.slice(0, 100)) append(n);
    const killed = server.kill();
    for (const n of expected.slice(100, 200)) append(n);
    await killed;
    for (const n of expected.slice(200)) append(n);
    await server.start();
    await eventually('all is written', () => journal.pending === 0);
    const redis = await server.connect();
    const seen = (await logOf(redis)).map(({ metadata }) => metadata['n'] ?? '');
    // What was under way when the connection broke may stand there twice, under the same id.
    expect([...new Set(seen)]).toEqual(expected);
    expect(await redis.hlen(key('streams'))).toBe(1);
  });

  it('refuses commits within two seconds, and at once when the outage lasts', async () => {
    await using test = await start();
    const { server, journal } = test;
    await server.kill();
    const startedMs = performance.now();
    await expect(journal.commit([changes.saved()])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    const laterMs = performance.now();
    await expect(journal.commit([changes.saved()])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(performance.now() - laterMs).toBeLessThan(50);
    await server.start();
    await eventually('commits work again', () =>
      journal.commit([changes.noted()]).then(
        () => true,
        () => false,
      ),
    );
    // What was refused was not written behind the caller's back.
    expect(await (await server.connect()).hlen(key('streams'))).toBe(0);
  });

  it('carries a commit over a short restart', async () => {
    await using test = await start();
    const { server, journal } = test;
    await server.kill();
    const committed = journal.commit([changes.saved()]);
    await server.start();
    await committed;
    expect(await (await server.connect()).hlen(key('streams'))).toBe(1);
  });

  it('gives a commit up when Redis hangs', async () => {
    await using test = await start();
    const { server, journal } = test;
    server.freeze();
    await expect(journal.commit([changes.noted()])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    server.thaw();
    journal.append([changes.saved()]);
    await eventually('it goes on', () => journal.pending === 0);
  });

  it('writes again after the scripts were flushed', async () => {
    await using test = await start();
    await test.journal.commit([changes.noted()]);
    await test.redis.script('FLUSH');
    await test.journal.commit([changes.noted()]);
    expect(await typesOf(test.redis)).toHaveLength(2);
  });

  it('waits while Redis has no memory to write to', async () => {
    await using test = await start();
    const { redis, journal } = test;
    await redis.config('SET', 'maxmemory', '1');
    journal.append([changes.opened()]);
    await expect(journal.commit([changes.saved()])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    await redis.config('SET', 'maxmemory', '0');
    await eventually('it goes on', () => journal.pending === 0);
    expect(await typesOf(redis)).toEqual(['stream_started']);
  });

  it('flushes when it closes, for as long as it may', async () => {
    await using test = await start();
    const { redis, journal } = test;
    for (let n = 0; n < 1_000; n++) journal.append([changes.noted()]);
    await journal.close();
    expect(await redis.xlen(key('events'))).toBe(1_000);
    await expect(journal.commit([changes.noted()])).rejects.toMatchObject({
      code: 'SHUTTING_DOWN',
    });
  });

  it('says what it loses when it must close without Redis', async () => {
    await using server: TestRedis = await startRedis();
    const lost: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (message, fields) => void lost.push([message, fields]),
    };
    const journal = journalOn(await server.connect(), { logger });
    await server.kill();
    journal.append([changes.noted(), changes.joined()]);
    await journal.close(50);
    await journal.close(50);
    const fields = expect.objectContaining({ reason: 'closed', changes: 2 });
    expect(lost).toEqual([['state changes lost', fields]]);
  });

  it('drops the oldest facts that change no record when it holds too many', async () => {
    await using test = await start();
    const { server, journal } = test;
    await server.kill();
    const list: StateChange[] = Array.from({ length: 1_000 }, () => changes.noted());
    journal.append([changes.saved()]);
    for (let n = 0; n < 60; n++) journal.append(list);
    await eventually('the outage is felt', () => journal.pending <= 50_000);
    await server.start();
    await eventually('all is written', () => journal.pending === 0);
    const redis = await server.connect();
    expect(await redis.hlen(key('streams'))).toBe(1);
  });
});
