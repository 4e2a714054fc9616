import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { EndpointId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { Delivery, DeliveryQueues } from '#webhooks';
import { jobIdOf, queueNameOf, queueOptions } from './naming.ts';

export type DeliveryQueuesOptions = {
  /** A connection for `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  /** Deliveries that wait for one endpoint, at most; about 1 KiB each in Redis. */
  readonly limit?: number;
};

const BACKLOG_LIMIT = 10_000;

/** Queues of deliveries in BullMQ: the side that fills them. One process fills at a time. */
export class BullDeliveryQueues implements DeliveryQueues {
  readonly #options: DeliveryQueuesOptions;
  readonly #known: string;
  readonly #limit: number;
  readonly #open = new Map<EndpointId, Promise<Queue<Delivery>>>();

  constructor(options: DeliveryQueuesOptions) {
    this.#options = options;
    this.#known = `${options.prefix}:queues`;
    this.#limit = options.limit ?? BACKLOG_LIMIT;
  }

  enqueue(endpointId: EndpointId, deliveries: readonly Delivery[]): Promise<number> {
    return inQueue(async () => {
      const queue = await this.#queue(endpointId);
      await queue.addBulk(
        deliveries.map((data) => ({ name: 'delivery', data, opts: { jobId: jobIdOf(data) } })),
      );
      return this.#trim(queue);
    });
  }

  drop(endpointId: EndpointId): Promise<void> {
    return inQueue(async () => {
      const queue = await this.#queue(endpointId);
      await queue.obliterate({ force: true });
      await this.#options.redis.srem(this.#known, endpointId);
      this.#open.delete(endpointId);
      await queue.close();
    });
  }

  async list(): Promise<readonly EndpointId[]> {
    return (await inQueue(() => this.#options.redis.smembers(this.#known))) as EndpointId[];
  }

  /** Another process may have filled and dropped queues meanwhile: looks at each anew. */
  async forget(): Promise<void> {
    const queues = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(queues.map(async (queue) => (await queue).close()));
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.forget();
  }

  #queue(endpointId: EndpointId): Promise<Queue<Delivery>> {
    const known = this.#open.get(endpointId);
    if (known) return known;
    const opening = this.#prepare(endpointId);
    this.#open.set(endpointId, opening);
    opening.catch(() => this.#open.delete(endpointId));
    return opening;
  }

  /** One delivery at a time, over all workers; and not paused by a `drop` that was cut short. */
  async #prepare(endpointId: EndpointId): Promise<Queue<Delivery>> {
    const { redis, logger } = this.#options;
    const queue = new Queue<Delivery>(queueNameOf(endpointId), queueOptions(this.#options));
    queue.on('error', (error) => logger.debug('delivery queue error', { endpointId, error }));
    await redis.sadd(this.#known, endpointId);
    await queue.setGlobalConcurrency(1);
    await queue.resume();
    return queue;
  }

  /** The oldest go: of an endpoint that comes back, the state of now is what its app needs. */
  async #trim(queue: Queue<Delivery>): Promise<number> {
    const surplus = (await queue.getWaitingCount()) - this.#limit;
    if (surplus <= 0) return 0;
    const oldest = await queue.getWaiting(0, surplus - 1);
    const removed = await Promise.all(oldest.map(({ id }) => queue.remove(id ?? '')));
    return removed.filter((count) => count > 0).length;
  }
}

/** What BullMQ and its connection throw, in our words. */
async function inQueue<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new DependencyError('QUEUE_UNAVAILABLE', {
      message: 'The delivery queue is not available.',
      cause,
    });
  }
}
