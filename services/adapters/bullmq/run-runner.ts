import { DelayedError, Worker } from 'bullmq';
import type { Job as BullJob } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '#kernel/logger';
import type { RunId, RunJob } from '#transcode';
import { RUN_QUEUE, queueOptions } from './naming.ts';

type AnyJob = { readonly v: 1; readonly runId: RunId };

export type RunRunnerOptions<Job extends AnyJob = RunJob> = {
  /** A connection for `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  /** The name of the queue; that of transcodes when absent. */
  readonly name?: string;
  /** Runs at once. */
  readonly slots: number;
  /**
   * Until the run is over, or `declined` at once: others may have a place for it. Never rejects.
   * The signal aborts when the worker drains.
   */
  readonly run: (job: Job, signal: AbortSignal) => Promise<unknown>;
};

/** A worker that died is noticed by its connections; this is for the queue's books only. */
const LOCK_MS = 30_000;
/** Until a run that was declined is offered anew. */
const OFFER_AGAIN_MS = 250;

/** Takes runs from the queue, as many at once as there are slots. */
export class BullRunRunner<Job extends AnyJob = RunJob> {
  readonly #worker: Worker<Job>;
  readonly #draining = new AbortController();
  #closing: Promise<void> | undefined;

  constructor({ slots, run, logger, name, ...target }: RunRunnerOptions<Job>) {
    const process = async (job: BullJob<Job>, token?: string): Promise<void> => {
      if (job.data.v !== 1) return;
      if ((await run(job.data, this.#draining.signal)) !== 'declined') return;
      await job.moveToDelayed(Date.now() + OFFER_AGAIN_MS, token);
      throw new DelayedError();
    };
    this.#worker = new Worker<Job>(name ?? RUN_QUEUE, process, {
      ...queueOptions(target),
      concurrency: slots,
      lockDuration: LOCK_MS,
      // Whoever asked has noticed, and asks anew: an old job is not taken up again.
      maxStalledCount: 0,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => logger.debug('run worker error', { error }));
  }

  /** Takes no more, and ends what runs: others take it over. Idempotent. */
  close(): Promise<void> {
    this.#draining.abort();
    return (this.#closing ??= this.#worker.close());
  }
}
