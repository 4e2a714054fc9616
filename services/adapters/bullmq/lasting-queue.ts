import type { JobsOptions, Queue } from 'bullmq';
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
 * works again: here it is made anew. BullMQ itself is loaded with the first question: 14 MB that an
 * api process needs for transcodes, resolvers and networks only.
 */
export class LastingQueue<Data> {
  readonly #options: LastingQueueOptions;
  #queue: Promise<Queue> | undefined;
  #isClosed = false;

  constructor(options: LastingQueueOptions) {
    this.#options = options;
  }

  /** @param options - With an id, since it may be asked for twice. @throws DependencyError `QUEUE_UNAVAILABLE` */
  async add(data: Data, options: JobsOptions & { readonly jobId: string }): Promise<void> {
    const { name, redis } = this.#options;
    const ask = async (): Promise<void> => {
      const queue = await this.#opened();
      await queue.add(name, data, options);
    };
    try {
      await ask();
    } catch (cause) {
      this.#forget();
      if (redis.status !== 'ready' || this.#isClosed) throw unavailable(cause);
      await ask().catch((error: unknown) => {
        throw unavailable(error);
      });
    }
  }

  /** Never rejects: one that a worker has begun stays. */
  async remove(jobId: string): Promise<void> {
    await this.#opened()
      .then((queue) => queue.remove(jobId))
      .catch(() => {});
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#queue)?.close();
  }

  #opened(): Promise<Queue> {
    if (this.#isClosed) return Promise.reject(new Error('closed'));
    return (this.#queue ??= this.#open());
  }

  async #open(): Promise<Queue> {
    const { name, logger, ...target } = this.#options;
    const { Queue } = await import('bullmq');
    const queue = new Queue(name, { ...queueOptions(target), skipWaitingForReady: true });
    queue.on('error', (error) => logger.debug('queue error', { queue: name, error }));
    return queue;
  }

  /** The next question has a queue made anew. */
  #forget(): void {
    this.#queue?.then((queue) => queue.close()).catch(() => {});
    this.#queue = undefined;
  }
}

const unavailable = (cause: unknown): DependencyError =>
  new DependencyError('QUEUE_UNAVAILABLE', { message: 'The queue is not available.', cause });
