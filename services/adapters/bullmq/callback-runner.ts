import { UnrecoverableError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { backoffMs } from '#kernel/backoff';
import type { Logger } from '#kernel/logger';
import { isToBeRepeated } from '#networks';
import type { Callback, CallbackOutcome } from '#networks';
import { CALLBACK_QUEUE, queueOptions } from './naming.ts';
import type { CallbackJob } from './network-queue.ts';

export type CallbackRunnerOptions = {
  /** A connection for `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  /** An app has acted on the network since: it does not want to hear it any more. */
  readonly isWanted: (callback: Callback) => Promise<boolean>;
  /** Makes one attempt; never rejects but for the signal. */
  readonly tell: (callback: Callback, signal: AbortSignal) => Promise<CallbackOutcome>;
};

/** Receivers of one installation are one app, mostly: it may be slow to answer each. */
const AT_ONCE = 20;
/** Longer than an attempt may take. */
const LOCK_MS = 30_000;
const BACKOFF = { baseMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.2 };

/** Works off callbacks: each until it has been heard, and not once more. */
export class BullCallbackRunner {
  readonly #options: CallbackRunnerOptions;
  readonly #worker: Worker<CallbackJob>;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: CallbackRunnerOptions) {
    this.#options = options;
    const { logger } = options;
    this.#worker = new Worker<CallbackJob>(CALLBACK_QUEUE, (job) => this.#run(job), {
      ...queueOptions(options),
      concurrency: AT_ONCE,
      lockDuration: LOCK_MS,
      maxStalledCount: 1_000,
      settings: { backoffStrategy: (attempt) => backoffMs(BACKOFF, attempt, Math.random) },
    });
    this.#worker.on('error', (error) => logger.debug('callback worker error', { error }));
  }

  /** Lets attempts under way come to an end: they have a deadline. Idempotent. */
  close(): Promise<void> {
    this.#closed.abort();
    return (this.#closing ??= this.#worker.close());
  }

  async #run(job: Job<CallbackJob>): Promise<void> {
    const { callback, isBeingTold, v } = job.data;
    const { logger, isWanted, tell } = this.#options;
    const facts = { networkId: callback.networkId, event: callback.event };
    if (v !== 1) throw new UnrecoverableError('unknown version');
    // Its worker died in the middle of telling it: it may have been heard.
    if (isBeingTold) return logger.warn('callback of a lost worker not repeated', facts);
    if (!(await isWanted(callback))) return logger.info('callback not wanted any more', facts);
    await job.updateData({ ...job.data, isBeingTold: true });
    const outcome = await tell(callback, AbortSignal.timeout(LOCK_MS));
    const isRepeated = isToBeRepeated(outcome);
    logger.info('callback told', { ...facts, ...outcome, isRepeated });
    if (!isRepeated) return;
    await job.updateData({ ...job.data, isBeingTold: false });
    throw new Error('not heard');
  }
}
