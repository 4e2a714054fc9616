import type { Redis } from 'ioredis';
import type { Logger } from '#kernel/logger';
import type { Callback, Network, NetworkId, NetworkQueue } from '#networks';
import { LastingQueue } from './lasting-queue.ts';
import { CALLBACK_QUEUE, NETWORK_QUEUE } from './naming.ts';

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

/** Networks that want a worker, and what their apps are to be told, in BullMQ: the side that asks. */
export class BullNetworkQueue implements NetworkQueue {
  readonly #networks: LastingQueue<NetworkJob>;
  readonly #callbacks: LastingQueue<CallbackJob>;

  constructor(options: NetworkQueueOptions) {
    this.#networks = new LastingQueue({ ...options, name: NETWORK_QUEUE });
    this.#callbacks = new LastingQueue({ ...options, name: CALLBACK_QUEUE });
  }

  async ask({ id, epoch }: Pick<Network, 'id' | 'epoch'>): Promise<void> {
    const jobId = `${id}-${epoch}`;
    const once = { attempts: 1, removeOnComplete: true, removeOnFail: true };
    await this.#networks.add({ v: 1, id }, { jobId, ...once });
  }

  async tell(callback: Callback): Promise<void> {
    await this.#callbacks.add(
      { v: 1, callback, isBeingTold: false },
      {
        jobId: callback.id,
        attempts: CALLBACK_TRIES,
        backoff: { type: 'custom' },
        removeOnComplete: KEEP_DONE,
        removeOnFail: KEEP_DONE,
      },
    );
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#networks.close(), this.#callbacks.close()]);
  }
}
