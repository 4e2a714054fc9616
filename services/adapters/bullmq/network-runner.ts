import { Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '#kernel/logger';
import type { NetworkId } from '#networks';
import { NETWORK_QUEUE, queueOptions } from './naming.ts';
import type { NetworkJob } from './network-queue.ts';

export type NetworkRunnerOptions = {
  /** A connection for `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
  /** Networks at once. */
  readonly slots: number;
  /** Until the network is no more this worker's; never rejects. */
  readonly keep: (id: NetworkId, draining: AbortSignal) => Promise<void>;
};

/** For the queue's books only: who runs a network is settled by its lease. */
const LOCK_MS = 30_000;

/** Takes networks from the queue. */
export class BullNetworkRunner {
  readonly #worker: Worker<NetworkJob>;
  readonly #draining = new AbortController();
  #closing: Promise<void> | undefined;

  constructor({ slots, keep, logger, ...target }: NetworkRunnerOptions) {
    const process = async (job: Job<NetworkJob>): Promise<void> => {
      if (job.data.v === 1) await keep(job.data.id, this.#draining.signal);
    };
    this.#worker = new Worker<NetworkJob>(NETWORK_QUEUE, process, {
      ...queueOptions(target),
      concurrency: slots,
      lockDuration: LOCK_MS,
      // A network whose worker died is asked for anew when its lease has run out.
      maxStalledCount: 0,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => logger.debug('network worker error', { error }));
  }

  /** Takes no more, and lets go of what runs: others go on with it. Idempotent. */
  close(): Promise<void> {
    this.#draining.abort();
    return (this.#closing ??= this.#worker.close());
  }
}
