import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { BullDeliveryQueues } from '#adapters/bullmq/delivery-queues';
import { BullDeliveryRunner } from '#adapters/bullmq/delivery-runner';
import { BullRunRunner } from '#adapters/bullmq/run-runner';
import { startFfmpeg } from '#adapters/ffmpeg/transcoder';
import { linkRun } from '#adapters/http/run-client';
import { AxiosWebhookClient } from '#adapters/http/webhook-client';
import { awaitRedis } from '#adapters/redis/await-redis';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { openRedis } from '#adapters/redis/connection';
import type { RedisUse } from '#adapters/redis/connection';
import { redisEndpointStore } from '#adapters/redis/endpoint-store';
import { RedisEventFeed } from '#adapters/redis/event-feed';
import { RedisHousekeepingStore } from '#adapters/redis/housekeeping-store';
import { loadSecret } from '#adapters/redis/secret';
import { WorkerCard } from '#adapters/redis/worker-board';
import type { Config } from '#config';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { RunningProcess } from '#lifecycle';
import { SOFTWARE } from '#transcode';
import { createDeliver, createProcessDelivery } from '#webhooks';
import { EventDispatcher } from './event-dispatcher.ts';
import { Housekeeping } from './housekeeping.worker.ts';
import { TranscodeWork } from './transcode.worker.ts';
import { WebhookWorker } from './webhook.worker.ts';

/** How long Redis may take to come up, its data loaded. */
const REDIS_DEADLINE_MS = 30_000;
/** Share of the time for draining that attempts under way may use. */
const DELIVERY_GRACE = 0.5;

/** Builds what a worker process does, and starts it. */
export async function composeWorker(config: Config, logger: Logger): Promise<RunningProcess> {
  const connections = openConnections(config, logger);
  await awaitRedis(connections.redis, { deadlineMs: REDIS_DEADLINE_MS, logger });
  const webhooks = startWebhooks(config, logger, connections);
  const housekeeping = startHousekeeping(config, logger, connections);
  const transcodes = await startTranscodes(config, logger, connections);
  return {
    ready: {},
    close: () =>
      closeAll([
        () => Promise.all([webhooks.close(), housekeeping.close(), transcodes.close()]),
        ...Object.values(connections).map((connection) => () => connection.disconnect()),
      ]),
  };
}

type Connections = ReturnType<typeof openConnections>;

function openConnections({ redis, dataDir }: Config, logger: Logger) {
  const url = redis.url ?? `unix://${dataDir}/redis/redis.sock`;
  const open = (use: RedisUse) => openRedis({ url, role: `worker-${use}`, use, logger });
  return {
    redis: open('commands'),
    reader: open('blocking'),
    subscriber: open('subscriber'),
    queue: open('queue'),
  };
}

function startWebhooks(config: Config, logger: Logger, connections: Connections) {
  const { redis, reader, subscriber, queue } = connections;
  const { prefix } = config.redis;
  const worker = randomUUID();
  const endpoints = redisEndpointStore(redis, prefix);
  const client = new AxiosWebhookClient(guardOf(config));
  const deliver = createDeliver({ client, version: packageVersion(), clock: systemClock });
  const process = createProcessDelivery({ endpoints, deliver, random: Math.random, logger });
  const queues = new BullDeliveryQueues({ redis: queue, prefix, logger });
  const changes = new ChangeFeed({ redis: subscriber, prefix, origin: worker, logger });
  const dispatcher = new EventDispatcher({
    feed: new RedisEventFeed({ redis, reader, prefix, worker, logger }),
    queues,
    endpoints,
    clock: systemClock,
    timers: systemTimers,
    logger,
  });
  const closeGraceMs = config.shutdownGraceMs * DELIVERY_GRACE;
  const runners = new WebhookWorker({
    endpoints,
    onEndpointsChanged: (call) => changes.listen({ endpoints: call, gap: call }),
    startRunner: (endpointId) =>
      new BullDeliveryRunner({ redis: queue, prefix, logger, endpointId, process, closeGraceMs }),
    timers: systemTimers,
    logger,
  });
  const closeDispatcher = (): Promise<void> => {
    const closing = dispatcher.close();
    reader.disconnect(); // It waits there for the next event.
    return closing;
  };
  return {
    close: () =>
      closeAll([
        () => changes.close(),
        () => Promise.all([closeDispatcher(), runners.close()]),
        () => queues.close(),
        () => client.close(),
      ]),
  };
}

const LEAST_SLOTS = 2;

/** Takes runs, and tells the api processes of itself. */
async function startTranscodes(config: Config, logger: Logger, { redis, queue }: Connections) {
  const { prefix } = config.redis;
  const secret = await loadSecret(redis, prefix);
  const id = randomUUID();
  const slots = config.transcode.slots || Math.max(LEAST_SLOTS, availableParallelism());
  const hardware = [SOFTWARE];
  const folder = join(config.dataDir, 'transcode');
  await mkdir(folder, { recursive: true });
  const work: TranscodeWork = new TranscodeWork({
    start: (args) => startFfmpeg({ program: config.ffmpegPath, args, folder }),
    link: (job) => linkRun(job, secret),
    hardware,
    logger,
    changed: () => card.changed(),
  });
  const about = () => ({ id, slots, busy: work.busy, hardware });
  const card = new WorkerCard({ redis, prefix, about });
  const runner = new BullRunRunner({
    redis: queue,
    prefix,
    logger,
    slots,
    run: (job, draining) => work.run(job, draining),
  });
  return { close: () => closeAll([() => runner.close(), () => card.close()]) };
}

const startHousekeeping = (config: Config, logger: Logger, { redis }: Connections): Housekeeping =>
  new Housekeeping({
    store: new RedisHousekeepingStore({
      redis,
      prefix: config.redis.prefix,
      eventLogMax: config.eventLogMax,
    }),
    streamTtlMs: config.streams.ttlMs,
    clock: systemClock,
    timers: systemTimers,
    logger,
  });

/** Apps live beside us: the setting about private addresses is for sources. */
const guardOf = ({ upstream }: Config) => ({ allowPrivate: true, verifyTls: upstream.verifyTls });

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
