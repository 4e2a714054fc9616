import { Queue, RateLimitError, UnrecoverableError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { DependencyError, codeOf } from '#kernel/app-error';
import type { EndpointId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { Delivery, DeliveryOutcome, ProcessDelivery } from '#webhooks';
import { queueNameOf, queueOptions } from './naming.ts';

export type DeliveryRunnerOptions = {
  /** A connection for `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  readonly endpointId: EndpointId;
  readonly process: ProcessDelivery;
  /** How long an attempt may go on after `close`; then it is put back, to be made again. */
  readonly closeGraceMs: number;
};

/** A worker that died is noticed when its lock has expired, on the next look: within 10 s. */
const LOCK_MS = 6_000;
const STALLED_CHECK_MS = 3_000;
/** Dying workers are no fault of the delivery. */
const MAX_STALLED = 1_000;
/** Only there because BullMQ heeds a manual limit only with a limiter set; never reached. */
const LIMITER = { max: 1_000_000, duration: 1_000 };
/** What is done is kept for a while, so that the same event is not delivered again. */
const KEEP_DONE = { age: 86_400, count: 1_000 };
const KEEP_FAILED = { age: 7 * 86_400, count: 1_000 };
/** Before the next look, when our own store is away. */
const STORE_AWAY_DELAY_MS = 1_000;

/**
 * Works off the deliveries of one endpoint, one at a time over all workers, in their order: a
 * delivery that is to be retried goes back to the head of its queue, and the queue waits.
 */
export class BullDeliveryRunner {
  readonly #options: DeliveryRunnerOptions;
  readonly #queue: Queue<Delivery>;
  readonly #worker: Worker<Delivery>;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: DeliveryRunnerOptions) {
    this.#options = options;
    const name = queueNameOf(options.endpointId);
    this.#queue = new Queue<Delivery>(name, queueOptions(options));
    this.#worker = new Worker<Delivery>(name, (job) => this.#run(job), {
      ...queueOptions(options),
      concurrency: 1,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
      limiter: LIMITER,
      removeOnComplete: KEEP_DONE,
      removeOnFail: KEEP_FAILED,
    });
    for (const part of [this.#queue, this.#worker]) this.#logErrors(part);
  }

  /** Takes no more; an attempt under way may finish, for a moment. Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { closeGraceMs } = this.#options;
    const grace = setTimeout(() => this.#closed.abort(new Error('closing')), closeGraceMs);
    try {
      await this.#worker.close();
    } finally {
      clearTimeout(grace);
      await this.#queue.close();
    }
  }

  async #run(job: Job<Delivery>): Promise<void> {
    const outcome = await this.#process(job.data);
    if (outcome.kind === 'done') return;
    if (outcome.kind === 'failed') throw new UnrecoverableError(outcome.reason);
    if (outcome.failedAttempts !== job.data.failedAttempts) {
      await job.updateData({ ...job.data, failedAttempts: outcome.failedAttempts });
    }
    if (outcome.delayMs > 0) await this.#queue.rateLimit(outcome.delayMs);
    throw new RateLimitError(); // Back to the head of the queue.
  }

  /** Trouble of ours is no attempt: it is waited for. A bug must not hold up all that follow. */
  async #process(delivery: Delivery): Promise<DeliveryOutcome> {
    const { process, logger } = this.#options;
    const { v, event, failedAttempts } = delivery;
    if (v !== 1) return { kind: 'failed', reason: 'unknown version' };
    try {
      return await process(delivery, this.#closed.signal);
    } catch (error) {
      if (this.#closed.signal.aborted) return { kind: 'again', delayMs: 0, failedAttempts };
      if (error instanceof DependencyError) {
        return { kind: 'again', delayMs: STORE_AWAY_DELAY_MS, failedAttempts };
      }
      logger.error('delivery impossible', { eventId: event.eventId, error });
      return { kind: 'failed', reason: codeOf(error) };
    }
  }

  /** The connection logs its own errors; these are locks lost to a restart, and the like. */
  #logErrors(part: { on(event: 'error', listener: (error: Error) => void): unknown }): void {
    const { logger, endpointId } = this.#options;
    part.on('error', (error) => logger.debug('delivery worker error', { endpointId, error }));
  }
}
