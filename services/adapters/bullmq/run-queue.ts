import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { Logger } from '#kernel/logger';
import type { RunId, RunJob } from '#transcode';
import { RUN_QUEUE, queueOptions } from './naming.ts';

export type RunQueueOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  /** Its name; that of transcodes when absent. */
  readonly name?: string;
};

type AnyJob = { readonly v: 1; readonly runId: RunId };

/** Runs that wait for a worker, in BullMQ: the side that asks. */
export class BullRunQueue<Job extends AnyJob = RunJob> {
  readonly #queue: Queue<AnyJob>;

  constructor(options: RunQueueOptions) {
    this.#queue = new Queue<AnyJob>(options.name ?? RUN_QUEUE, {
      ...queueOptions(options),
      skipWaitingForReady: true,
    });
    this.#queue.on('error', (error) => options.logger.debug('run queue error', { error }));
  }

  async ask(job: Job): Promise<void> {
    try {
      await this.#queue.add('run', job, {
        jobId: job.runId,
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
    } catch (cause) {
      throw new DependencyError('QUEUE_UNAVAILABLE', {
        message: 'The queue of runs is not available.',
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
