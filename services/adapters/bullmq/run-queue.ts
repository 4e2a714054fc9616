import type { Redis } from 'ioredis';
import type { Logger } from '#kernel/logger';
import type { RunId, RunJob } from '#transcode';
import { LastingQueue } from './lasting-queue.ts';
import { RUN_QUEUE } from './naming.ts';

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
  readonly #queue: LastingQueue<Job>;

  constructor({ name = RUN_QUEUE, ...options }: RunQueueOptions) {
    this.#queue = new LastingQueue<Job>({ ...options, name });
  }

  async ask(job: Job): Promise<void> {
    const once = { attempts: 1, removeOnComplete: true, removeOnFail: true };
    await this.#queue.add(job, { jobId: job.runId, ...once });
  }

  async cancel(runId: RunId): Promise<void> {
    // One that a worker has begun is locked; it ends by its connections.
    await this.#queue.remove(runId);
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#queue.close();
  }
}
