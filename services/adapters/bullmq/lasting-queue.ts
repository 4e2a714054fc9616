import { Queue } from 'bullmq';
import type { JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { Logger } from '#kernel/logger';
import { queueOptions } from './naming.ts';

export type LastingQueueOptions = {
  readonly name: string;
  /** Stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
};

/**
 * The side of a queue that asks, for a connection whose commands fail at once while Redis is away.
 * BullMQ asks Redis for its version when a queue is made, and a queue whose question was lost never
 * works again: here it is made anew.
 */
export class LastingQueue<Data> {
  readonly #options: LastingQueueOptions;
  #queue: Queue;

  constructor(options: LastingQueueOptions) {
    this.#options = options;
    this.#queue = this.#open();
  }

  /** @param options - With an id, since it may be asked for twice. @throws DependencyError `QUEUE_UNAVAILABLE` */
  async add(data: Data, options: JobsOptions & { readonly jobId: string }): Promise<void> {
    const { name, redis } = this.#options;
    try {
      await this.#queue.add(name, data, options);
    } catch (cause) {
      this.#renew();
      if (redis.status !== 'ready') throw unavailable(cause);
      await this.#queue.add(name, data, options).catch((error: unknown) => {
        throw unavailable(error);
      });
    }
  }

  /** Never rejects: one that a worker has begun stays. */
  async remove(jobId: string): Promise<void> {
    await this.#queue.remove(jobId).catch(() => {});
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  #open(): Queue {
    const { name, logger, ...target } = this.#options;
    const queue = new Queue(name, { ...queueOptions(target), skipWaitingForReady: true });
    queue.on('error', (error) => logger.debug('queue error', { queue: name, error }));
    return queue;
  }

  #renew(): void {
    void this.#queue.close().catch(() => {});
    this.#queue = this.#open();
  }
}

const unavailable = (cause: unknown): DependencyError =>
  new DependencyError('QUEUE_UNAVAILABLE', { message: 'The queue is not available.', cause });
