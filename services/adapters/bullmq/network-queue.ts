import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { Logger } from '#kernel/logger';
import type { Callback, Network, NetworkId, NetworkQueue } from '#networks';
import { CALLBACK_QUEUE, NETWORK_QUEUE, queueOptions } from './naming.ts';

export type NetworkQueueOptions = {
  /** A connection for `commands` or `queue`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: Logger;
};

/** A network that wants a worker. What it is to do stands in its record. */
export type NetworkJob = { readonly v: 1; readonly id: NetworkId };

export type CallbackJob = {
  readonly v: 1;
  readonly callback: Callback;
  /** An attempt is under way: when its worker dies, nobody knows whether it was heard. */
  readonly isBeingTold: boolean;
};

/** Done callbacks are kept for a day, so that the same is not told twice. */
const KEEP_DONE = { age: 86_400, count: 10_000 };
const CALLBACK_TRIES = 40;
const FIRST_RETRY_MS = 1_000;

/** Networks that want a worker, and what their apps are to be told, in BullMQ: the side that asks. */
export class BullNetworkQueue implements NetworkQueue {
  readonly #networks: Queue<NetworkJob>;
  readonly #callbacks: Queue<CallbackJob>;

  constructor({ logger, ...target }: NetworkQueueOptions) {
    const options = { ...queueOptions(target), skipWaitingForReady: true };
    this.#networks = new Queue<NetworkJob>(NETWORK_QUEUE, options);
    this.#callbacks = new Queue<CallbackJob>(CALLBACK_QUEUE, options);
    for (const queue of [this.#networks, this.#callbacks]) {
      queue.on('error', (error: Error) => logger.debug('network queue error', { error }));
    }
  }

  async ask({ id, epoch }: Pick<Network, 'id' | 'epoch'>): Promise<void> {
    await inQueue(() =>
      this.#networks.add(
        'network',
        { v: 1, id },
        { jobId: `${id}-${epoch}`, attempts: 1, removeOnComplete: true, removeOnFail: true },
      ),
    );
  }

  async tell(callback: Callback): Promise<void> {
    await inQueue(() =>
      this.#callbacks.add(
        'callback',
        { v: 1, callback, isBeingTold: false },
        {
          jobId: callback.id,
          attempts: CALLBACK_TRIES,
          backoff: { type: 'custom', delay: FIRST_RETRY_MS },
          removeOnComplete: KEEP_DONE,
          removeOnFail: KEEP_DONE,
        },
      ),
    );
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#networks.close(), this.#callbacks.close()]);
  }
}

async function inQueue(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (cause) {
    throw new DependencyError('QUEUE_UNAVAILABLE', {
      message: 'The queue of networks is not available.',
      cause,
    });
  }
}
