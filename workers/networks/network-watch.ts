import type { Timer, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { isOrphan } from '#networks';
import type { NetworkQueue, NetworkStore } from '#networks';
import { tellCallbacks } from './tell.ts';

export type NetworkWatchOptions = {
  readonly store: NetworkStore;
  readonly queue: NetworkQueue;
  readonly timers: Timers;
  readonly logger: Logger;
};

const INTERVAL_MS = 1_000;

/** Finds networks whose worker is gone, and callbacks that nobody has handed on. */
export class NetworkWatch {
  readonly #options: NetworkWatchOptions;
  #next: Timer | undefined;
  #looking: Promise<void>;
  #isClosed = false;
  #isTroubled = false;

  /** Starts at once. */
  constructor(options: NetworkWatchOptions) {
    this.#options = options;
    this.#looking = this.#look();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#next?.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { store, queue, timers, logger } = this.#options;
    try {
      const { networks, nowMs } = await store.list();
      for (const network of networks) {
        if (isOrphan(network, nowMs)) await queue.ask(network);
        if (network.callbacks.length > 0) await tellCallbacks(this.#options, network);
      }
      this.#isTroubled = false;
    } catch (error) {
      if (!this.#isTroubled) logger.warn('networks are not watched', { error });
      this.#isTroubled = true;
    }
    if (this.#isClosed) return;
    this.#next = timers.after(INTERVAL_MS, () => {
      this.#looking = this.#look();
    });
  }
}
