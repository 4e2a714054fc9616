import { describe, expect, it } from 'vitest';
import { Queue } from 'bullmq';
import { BullDeliveryQueues } from '#adapters/bullmq/delivery-queues';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import type { DomainEvent } from '#events';
import type { EndpointId } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import type { Delivery, Endpoint } from '#webhooks';
import { FACTS, anEndpoint, anEvent } from '../support/events.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startWebhookPipeline } from '../support/webhook-pipeline.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';
import type { WebhookSink } from '../support/webhook-sink.ts';

const prefix = 'test';

async function start() {
  const server = await startRedis();
  const redis = await server.connect();
  const logger = silentLogger;
  const journal = new RedisStateJournal({ redis, prefix, origin: 'a', eventLogMax: 9_000, logger });
  const pipeline = await startWebhookPipeline(server, prefix);
  const sinks: WebhookSink[] = [];
  return {
    server,
    redis,
    journal,
    pipeline,
    /** An endpoint that is registered, and what it gets. */
    async endpoint(changes: Partial<Endpoint> = {}) {
      const sink = await startWebhookSink();
      sinks.push(sink);
      const endpoint = anEndpoint(sink.url, changes);
      await pipeline.endpoints.save(endpoint);
      return { sink, endpoint };
    },
    async tell(...events: readonly DomainEvent[]) {
      await journal.commit(events.map((event) => ({ kind: 'noted', event })));
    },
    async [Symbol.asyncDispose]() {
      await pipeline[Symbol.asyncDispose]();
      for (const sink of sinks) await sink[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const numbered = (count: number): DomainEvent[] =>
  Array.from({ length: count }, (_, n) => anEvent({ metadata: { n: String(n) } }));

const idsAt = (sink: WebhookSink): string[] => sink.delivered.map(({ event_id }) => event_id);
const idsOf = (events: readonly DomainEvent[]): string[] => events.map(({ eventId }) => eventId);
const attemptIds = (sink: WebhookSink): string[] =>
  sink.attempts.map(({ headers }) => String(headers['webhook-id']));

describe('webhooks', () => {
  it('arrive once each, in order, at every endpoint that wants them', async () => {
    await using test = await start();
    const all = await test.endpoint();
    const some = await test.endpoint({ events: ['stream_stopped'] });
    const started = numbered(50);
    const stopped = anEvent({ fact: FACTS.stream_stopped });
    await test.tell(...started, stopped);
    await all.sink.until(() => all.sink.delivered.length >= 51);
    await some.sink.event('stream_stopped');
    expect(idsAt(all.sink)).toEqual(idsOf([...started, stopped]));
    expect(idsAt(some.sink)).toEqual(idsOf([stopped]));
  });

  it('arrive within 200 ms of the event on a quiet machine, and in any case soon', async () => {
    await using test = await start();
    const { sink } = await test.endpoint();
    await test.tell(anEvent());
    await sink.event('stream_started');
    const toldMs = performance.now();
    await test.tell(anEvent({ fact: FACTS.stream_stopped }));
    await sink.event('stream_stopped');
    expect(performance.now() - toldMs).toBeLessThan(1_000);
  });

  it('keep their order when one has to be retried, and wait longer each time', async () => {
    await using test = await start();
    const { sink } = await test.endpoint({ retryAttempts: 3 });
    sink.behave(500, 503, 400);
    const events = numbered(3);
    const [first] = idsOf(events);
    await test.tell(...events);
    await sink.until(() => sink.delivered.length === 3);
    expect(idsAt(sink)).toEqual(idsOf(events));
    expect(attemptIds(sink).slice(0, 4)).toEqual([first, first, first, first]);
    const times = sink.attempts.map(({ atMs }) => atMs);
    const gaps = times.slice(1, 4).map((atMs, n) => atMs - (times[n] ?? 0));
    for (const [n, leastMs] of [50, 100, 200].entries()) {
      expect(gaps[n]).toBeGreaterThanOrEqual(leastMs - 5);
    }
  });

  it('are given up after the last retry, kept as failed, and the next goes on', async () => {
    await using test = await start();
    const { sink, endpoint } = await test.endpoint({ retryAttempts: 1 });
    sink.behave(500, 500);
    const events = numbered(2);
    const [first, second] = idsOf(events);
    await test.tell(...events);
    await sink.until(() => sink.delivered.length === 1);
    expect(attemptIds(sink)).toEqual([first, first, second]);
    const queue = new Queue(`webhook-${endpoint.id}`, {
      connection: await test.server.connect('queue'),
      prefix: `${prefix}:jobs`,
    });
    const failed = await queue.getFailed();
    expect(failed.map(({ data }) => (data as Delivery).event.eventId)).toEqual([first]);
    expect(failed[0]?.failedReason).toBe('status 500');
    await queue.close();
  });

  it('do not wait for an endpoint that is dead', async () => {
    await using test = await start();
    const dead = await test.endpoint({ retryAttempts: 9 });
    const living = await test.endpoint();
    dead.sink.alwaysBehave('hang');
    const events = numbered(100);
    await test.tell(...events);
    await living.sink.until(() => living.sink.delivered.length === 100);
    expect(idsAt(living.sink)).toEqual(idsOf(events));
    expect(dead.sink.delivered).toEqual([]);
  });

  it('are sent once though the log has the event twice', async () => {
    await using test = await start();
    const { sink } = await test.endpoint();
    const [event, last] = numbered(2);
    if (!event || !last) throw new Error('unreachable');
    await test.tell(event, event);
    await sink.until(() => sink.delivered.length === 1);
    await test.tell(event, last);
    await sink.until(() => sink.delivered.length === 2);
    expect(idsAt(sink)).toEqual(idsOf([event, last]));
  });

  it('go to an endpoint once, however often it is registered', async () => {
    await using test = await start();
    const { sink, endpoint } = await test.endpoint();
    await test.pipeline.endpoints.save(endpoint);
    await test.pipeline.endpoints.save(endpoint);
    await test.tell(...numbered(5));
    await sink.until(() => sink.delivered.length === 5);
    expect(sink.attempts).toHaveLength(5);
  });

  it('reach an endpoint from its first event on', async () => {
    await using test = await start();
    const early = await test.endpoint();
    await test.tell(anEvent());
    await early.sink.until(() => early.sink.delivered.length === 1);
    const late = await test.endpoint();
    const event = anEvent();
    await test.tell(event);
    await late.sink.event('stream_started', undefined, 1_000);
    expect(idsAt(late.sink)).toEqual([event.eventId]);
  });

  it('stop with the registration, and leave nothing behind', async () => {
    await using test = await start();
    const { sink, endpoint } = await test.endpoint({ retryAttempts: 100 });
    sink.alwaysBehave(500);
    await test.tell(...numbered(20));
    await sink.until(() => sink.attempts.length >= 2);
    await test.pipeline.endpoints.remove(endpoint.id);
    await eventually('the queue is gone', async () => {
      return (await test.redis.keys(`${prefix}:jobs:webhook-${endpoint.id}:*`)).length === 0;
    });
    expect(await test.pipeline.queues.list()).toEqual([]);
    // Registered again, it hears only what happens from now on.
    sink.alwaysBehave(200);
    await test.pipeline.endpoints.save(endpoint);
    const event = anEvent();
    await test.tell(event);
    await sink.until(() => sink.delivered.length === 1);
    expect(idsAt(sink)).toEqual([event.eventId]);
  });

  it('keep their order, once each, with two workers', async () => {
    await using test = await start();
    await using other = await startWebhookPipeline(test.server, prefix);
    const { sink } = await test.endpoint();
    sink.behave(500, 200, 500);
    const events = numbered(200);
    for (const event of events) await test.tell(event);
    await sink.until(() => sink.delivered.length >= 200, 15_000);
    expect(idsAt(sink)).toEqual(idsOf(events));
    expect(await other.queues.list()).toHaveLength(1);
  });

  it('go on where they were after Redis was restarted', async () => {
    await using test = await start();
    const { sink } = await test.endpoint();
    const events = numbered(60);
    await test.tell(...events.slice(0, 30));
    await sink.until(() => sink.delivered.length >= 5);
    await test.server.kill();
    test.journal.append(events.slice(30).map((event) => ({ kind: 'noted', event })));
    await test.server.start();
    await sink.until(() => new Set(idsAt(sink)).size === 60, 18_000);
    expect([...new Set(idsAt(sink))]).toEqual(idsOf(events));
  });
});

describe('a full queue', () => {
  it('drops its oldest deliveries, and says how many', async () => {
    await using server = await startRedis();
    const redis = await server.connect('queue');
    const queues = new BullDeliveryQueues({ redis, prefix, logger: silentLogger, limit: 5 });
    const endpointId = 'e1' as EndpointId;
    const deliveries = numbered(8).map((event): Delivery => ({
      v: 1,
      endpointId,
      event,
      failedAttempts: 0,
    }));
    expect(await queues.enqueue(endpointId, deliveries.slice(0, 4))).toBe(0);
    expect(await queues.enqueue(endpointId, deliveries.slice(4))).toBe(3);
    const queue = new Queue<Delivery>('webhook-e1', { connection: redis, prefix: 'test:jobs' });
    const kept = (await queue.getWaiting()).map(({ data }) => data.event.metadata['n']);
    expect(kept).toEqual(['3', '4', '5', '6', '7']);
    await Promise.all([queue.close(), queues.close()]);
  });
});
