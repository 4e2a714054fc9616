import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { Logger } from '#kernel/logger';
import type { RunId, RunJob, RunQueue } from '#transcode';
import { RUN_QUEUE, queueOptions } from './naming.ts';

export type RunQueueOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
};

/** Runs that wait for a worker, in BullMQ: the side that asks. */
export class BullRunQueue implements RunQueue {
  readonly #queue: Queue<RunJob>;

  constructor(options: RunQueueOptions) {
    this.#queue = new Queue<RunJob>(RUN_QUEUE, {
      ...queueOptions(options),
      skipWaitingForReady: true,
    });
    this.#queue.on('error', (error) => options.logger.debug('run queue error', { error }));
  }

  async ask(job: RunJob): Promise<void> {
    try {
      await this.#queue.add('run', job, {
        jobId: job.runId,
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
    } catch (cause) {
      throw new DependencyError('QUEUE_UNAVAILABLE', {
        message: 'The queue of transcodes is not available.',
        cause,
      });
    }
  }

  async cancel(runId: RunId): Promise<void> {
    // One that a worker has begun is locked; it ends by its connections.
    await this.#queue.remove(runId).catch(() => {});
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#queue.close();
  }
}
