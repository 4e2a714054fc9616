import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BullDeliveryQueues } from '#adapters/bullmq/delivery-queues';
import { BullDeliveryRunner } from '#adapters/bullmq/delivery-runner';
import { AxiosWebhookClient } from '#adapters/http/webhook-client';
import { awaitRedis } from '#adapters/redis/await-redis';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { openRedis } from '#adapters/redis/connection';
import type { RedisUse } from '#adapters/redis/connection';
import { redisEndpointStore } from '#adapters/redis/endpoint-store';
import { RedisEventFeed } from '#adapters/redis/event-feed';
import { RedisHousekeepingStore } from '#adapters/redis/housekeeping-store';
import type { Config } from '#config';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { RunningProcess } from '#lifecycle';
import { WorkerMetrics } from '#telemetry';
import { createDeliver, createProcessDelivery } from '#webhooks';
import { startNetworks } from './compose-networks.ts';
import { startTranscodes } from './compose-transcodes.ts';
import { EventDispatcher } from './event-dispatcher.ts';
import { Housekeeping } from './housekeeping.worker.ts';
import { MetricsServer } from './metrics-server.ts';
import { WebhookWorker } from './webhook.worker.ts';

/** How long Redis may take to come up, its data loaded. */
const REDIS_DEADLINE_MS = 30_000;
/** Share of the time for draining that attempts under way may use. */
const DELIVERY_GRACE = 0.5;

/** Builds what a worker process does, and starts it. */
export async function composeWorker(config: Config, logger: Logger): Promise<RunningProcess> {
  const connections = openConnections(config, logger);
  await awaitRedis(connections.redis, { deadlineMs: REDIS_DEADLINE_MS, logger });
  const metrics = new WorkerMetrics(packageVersion(), () => connections.redis.status === 'ready');
  const scraped = await openMetrics(config, metrics);
  const webhooks = startWebhooks({ config, logger, connections, metrics });
  const housekeeping = startHousekeeping(config, logger, connections);
  const transcodes = await startTranscodes({ config, logger, ...connections });
  const { subscriber } = connections;
  const { prefix } = config.redis;
  const changes = new ChangeFeed({ redis: subscriber, prefix, origin: randomUUID(), logger });
  const networks = await startNetworks({ config, logger, ...connections, changes });
  return {
    ready: {},
    close: () =>
      closeAll([
        () =>
          Promise.all([
            webhooks.close(),
            housekeeping.close(),
            transcodes.close(),
            networks.close(),
          ]),
        () => changes.close(),
        () => scraped?.close(),
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

async function openMetrics(
  { host, metricsPort: port, apiToken }: Config,
  metrics: WorkerMetrics,
): Promise<MetricsServer | undefined> {
  return port === undefined ? undefined : MetricsServer.open({ host, port, apiToken, metrics });
}

type WebhookParts = {
  readonly config: Config;
  readonly logger: Logger;
  readonly connections: Connections;
  readonly metrics: WorkerMetrics;
};

function startWebhooks({ config, logger, connections, metrics: meter }: WebhookParts) {
  const { redis, reader, subscriber, queue } = connections;
  const { prefix } = config.redis;
  const worker = randomUUID();
  const endpoints = redisEndpointStore(redis, prefix);
  const client = new AxiosWebhookClient(guardOf(config));
  const deliver = createDeliver({ client, version: packageVersion(), clock: systemClock });
  const process = createProcessDelivery({
    endpoints,
    deliver,
    random: Math.random,
    meter,
    logger,
  });
  const queues = new BullDeliveryQueues({ redis: queue, prefix, logger });
  const changes = new ChangeFeed({ redis: subscriber, prefix, origin: worker, logger });
  const dispatcher = new EventDispatcher({
    feed: new RedisEventFeed({ redis, reader, prefix, worker, logger }),
    queues,
    endpoints,
    meter,
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
