import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { redisEndpointStore } from '#adapters/redis/endpoint-store';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import type { DomainEvent } from '#events';
import { silentLogger } from '#kernel/logger';
import type { Endpoint } from '#webhooks';
import { anEndpoint, anEvent, changes } from '../support/events.ts';
import { startRedis } from '../support/redis.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

const prefix = 'test';
/** Lock, stalled checks, the dispatcher's seat: what a killed worker held is free by then. */
const TAKEOVER_MS = 40_000;

async function start(changed: Partial<Endpoint> = {}) {
  const server = await startRedis();
  const redis = await server.connect();
  const sink = await startWebhookSink();
  const endpoint = anEndpoint(sink.url, changed);
  await redisEndpointStore(redis, prefix).save(endpoint);
  const logger = silentLogger;
  const journal = new RedisStateJournal({ redis, prefix, origin: 'a', eventLogMax: 9_000, logger });
  return {
    server,
    redis,
    sink,
    journal,
    startWorker: (env = {}) => startWorkerProcess({ REDIS_URL: server.url, ...env }),
    async tell(count: number): Promise<string[]> {
      const events: DomainEvent[] = Array.from({ length: count }, () => anEvent());
      await journal.commit(events.map((event) => ({ kind: 'noted', event })));
      return events.map(({ eventId }) => eventId);
    },
    /** Ids as they arrived, a repetition left out. */
    arrived: (): string[] => [...new Set(sink.delivered.map(({ event_id }) => event_id))],
    async [Symbol.asyncDispose]() {
      await sink[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

// Each waits most of the time, for processes of its own.
vi.setConfig({ maxConcurrency: 3 });

describe.concurrent('a worker process', () => {
  it('is ready, delivers, and ends cleanly', async () => {
    await using test = await start();
    await using worker = await test.startWorker();
    const [id] = await test.tell(1);
    await test.sink.event('stream_started');
    expect(test.arrived()).toEqual([id]);
    const attempt = test.sink.attempts[0];
    expect(attempt?.headers['user-agent']).toMatch(/^Penstock-Webhook\/\d+\.\d+\.\d+$/);
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  it('killed in the middle of a delivery loses nothing: another makes it again', async () => {
    await using test = await start({ timeoutSeconds: 60 });
    await using doomed = await test.startWorker();
    test.sink.behave('hang');
    const ids = await test.tell(5);
    await test.sink.until(() => test.sink.attempts.length === 1);
    await doomed.end('SIGKILL');
    await using heir = await test.startWorker();
    await test.sink.until(() => test.sink.delivered.length >= 5, TAKEOVER_MS);
    expect(test.arrived()).toEqual(ids);
    expect(heir.log()).not.toContain('"level":"error"');
  }, 60_000);

  it('killed before it has dispatched loses nothing either', async () => {
    await using test = await start();
    const ids = await test.tell(500);
    await using doomed = await test.startWorker();
    await test.sink.until(() => test.sink.delivered.length >= 10);
    await doomed.end('SIGKILL');
    const more = await test.tell(10);
    await using heir = await test.startWorker();
    await test.sink.until(() => test.arrived().length === 510, TAKEOVER_MS);
    expect(test.arrived()).toEqual([...ids, ...more]);
    expect(await heir.end('SIGTERM')).toBe(0);
  }, 60_000);

  it('asked to end in the middle of a delivery puts it back, to be made again', async () => {
    await using test = await start({ timeoutSeconds: 60, retryAttempts: 0 });
    await using first = await test.startWorker({ SHUTDOWN_GRACE: '2' });
    test.sink.behave('hang');
    const ids = await test.tell(2);
    await test.sink.until(() => test.sink.attempts.length === 1);
    expect(await first.end('SIGTERM')).toBe(0);
    await using second = await test.startWorker();
    await test.sink.until(() => test.sink.delivered.length >= 2);
    expect(test.arrived()).toEqual(ids);
    expect(await second.end('SIGTERM')).toBe(0);
  });

  it('delivers what a process had written before it was killed', async () => {
    await using test = await start();
    const writer = fileURLToPath(new URL('../support/journal-writer.ts', import.meta.url));
    const child = spawn(process.execPath, [writer, test.server.url, prefix], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [ids] = (await once(child, 'message')) as [string[]];
    child.kill('SIGKILL');
    await once(child, 'exit');
    await using worker = await test.startWorker();
    await test.sink.until(() => test.sink.delivered.length >= ids.length);
    expect(test.arrived()).toEqual(ids);
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  it('does not start on a Redis that may throw keys away', async () => {
    await using server = await startRedis({ 'maxmemory-policy': 'allkeys-lru' });
    await using worker = await startWorkerProcess({ REDIS_URL: server.url });
    expect(await worker.exited()).toBe(1);
    expect(worker.log()).toContain('set maxmemory-policy to noeviction');
  });

  it('forgets idle streams while it runs', async () => {
    await using test = await start();
    await test.journal.commit([changes.saved(), changes.opened()]);
    await using worker = await test.startWorker({ STREAM_TTL: '1' });
    const stopped = await test.sink.event('stream_stopped');
    expect(stopped.data).toMatchObject({ reason: 'inactive_timeout' });
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});
