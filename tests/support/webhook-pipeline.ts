import { randomUUID } from 'node:crypto';
import { BullDeliveryQueues } from '#adapters/bullmq/delivery-queues';
import { BullDeliveryRunner } from '#adapters/bullmq/delivery-runner';
import { AxiosWebhookClient } from '#adapters/http/webhook-client';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { redisEndpointStore } from '#adapters/redis/endpoint-store';
import { RedisEventFeed } from '#adapters/redis/event-feed';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { createDeliver, createProcessDelivery } from '#webhooks';
import type { ProcessDelivery } from '#webhooks';
import { EventDispatcher } from '../../workers/event-dispatcher.ts';
import { WebhookWorker } from '../../workers/webhook.worker.ts';
import type { TestRedis } from './redis.ts';

const logger = silentLogger;
/** Retries wait for a twentieth of what they would. */
const HASTE = 20;

/** The webhook side of one worker, in this process and in a hurry. */
export async function startWebhookPipeline(server: TestRedis, prefix: string) {
  const redis = await server.connect();
  const reader = await server.connect('blocking');
  const queue = await server.connect('queue');
  const worker = randomUUID();
  const endpoints = redisEndpointStore(redis, prefix);
  const client = new AxiosWebhookClient({ allowPrivate: true, verifyTls: true });
  const deliver = createDeliver({ client, version: 'test', clock: systemClock });
  const process = hasty(createProcessDelivery({ endpoints, deliver, random: () => 0, logger }));
  const queues = new BullDeliveryQueues({ redis: queue, prefix, logger });
  const changes = new ChangeFeed({
    redis: await server.connect('subscriber'),
    prefix,
    origin: worker,
    logger,
  });
  const dispatcher = new EventDispatcher({
    feed: new RedisEventFeed({ redis, reader, prefix, worker, logger }),
    queues,
    endpoints,
    clock: systemClock,
    timers: systemTimers,
    logger,
  });
  const runners = new WebhookWorker({
    endpoints,
    onEndpointsChanged: (call) => changes.listen({ endpoints: call, gap: call }),
    startRunner: (endpointId) =>
      new BullDeliveryRunner({
        redis: queue,
        prefix,
        logger,
        endpointId,
        process,
        closeGraceMs: 200,
      }),
    timers: systemTimers,
    logger,
  });
  return {
    endpoints,
    queues,
    async [Symbol.asyncDispose]() {
      changes.close();
      const closing = dispatcher.close();
      reader.disconnect();
      await Promise.all([closing, runners.close()]);
      await queues.close();
      client.close();
    },
  };
}

const hasty =
  (process: ProcessDelivery): ProcessDelivery =>
  async (delivery, signal) => {
    const outcome = await process(delivery, signal);
    return outcome.kind === 'again' ? { ...outcome, delayMs: outcome.delayMs / HASTE } : outcome;
  };
