import { DelayedError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '#kernel/logger';
import { queueOptions } from './naming.ts';

export type JobRunnerOptions<Data> = {
  /** A connection for `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  /** The name of the queue. */
  readonly name: string;
  /** Jobs at once. */
  readonly slots: number;
  /**
   * Until the job is over, or `declined` at once: others may have a place for it. Never rejects.
   * The signal aborts when the worker drains.
   */
  readonly run: (data: Data, draining: AbortSignal) => Promise<unknown>;
};

/** For the queue's books only: who has a job is settled by connections, or by a lease. */
const LOCK_MS = 30_000;
/** Until a job that was declined is offered anew. */
const OFFER_AGAIN_MS = 250;

/** Takes jobs that last (runs, networks) from a queue, as many at once as there are slots. */
export class BullJobRunner<Data extends { readonly v: 1 }> {
  readonly #worker: Worker<Data>;
  readonly #draining = new AbortController();
  #closing: Promise<void> | undefined;

  constructor({ slots, run, logger, name, ...target }: JobRunnerOptions<Data>) {
    const process = async (job: Job<Data>, token?: string): Promise<void> => {
      if (job.data.v !== 1) return;
      if ((await run(job.data, this.#draining.signal)) !== 'declined') return;
      await job.moveToDelayed(Date.now() + OFFER_AGAIN_MS, token);
      throw new DelayedError();
    };
    this.#worker = new Worker<Data>(name, process, {
      ...queueOptions(target),
      concurrency: slots,
      lockDuration: LOCK_MS,
      // Who asked notices that a worker has died, and asks anew: an old job is not taken up again.
      maxStalledCount: 0,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => logger.debug('worker error', { queue: name, error }));
  }

  /** Takes no more, and ends what runs: others take it over. Idempotent. */
  close(): Promise<void> {
    this.#draining.abort();
    return (this.#closing ??= this.#worker.close());
  }
}
