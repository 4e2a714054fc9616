import type { Clock, Timer, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { isOrphan } from '#networks';
import type { Network, NetworkQueue, NetworkStore } from '#networks';
import { tellCallbacks } from './tell.ts';

export type NetworkWatchOptions = {
  readonly store: NetworkStore;
  readonly queue: NetworkQueue;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

const INTERVAL_MS = 1_000;
/**
 * How long a lease must have been over while we look. After an outage of Redis every lease is,
 * though every worker lives: two renewals fit into this.
 */
const SILENCE_MS = 2_500;

/** Finds networks whose worker is gone, and callbacks that nobody has handed on. */
export class NetworkWatch {
  readonly #options: NetworkWatchOptions;
  /** By network and epoch: since when its worker is not heard of. */
  readonly #silentSinceMs = new Map<string, number>();
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
      const orphans = networks.filter((network) => isOrphan(network, nowMs));
      for (const network of this.#silentAmong(orphans)) await queue.ask(network);
      for (const network of networks) {
        if (network.callbacks.length > 0) await tellCallbacks(this.#options, network);
      }
      this.#isTroubled = false;
    } catch (error) {
      this.#silentSinceMs.clear(); // Nobody could be heard meanwhile.
      if (!this.#isTroubled) logger.warn('networks are not watched', { error });
      this.#isTroubled = true;
    }
    if (this.#isClosed) return;
    this.#next = timers.after(INTERVAL_MS, () => {
      this.#looking = this.#look();
    });
  }

  /** Those that were let go, and those whose worker stays silent. */
  #silentAmong(orphans: readonly Network[]): readonly Network[] {
    const nowMs = this.#options.clock.monotonicMs();
    const names = new Set(orphans.map(nameOf));
    for (const name of this.#silentSinceMs.keys()) {
      if (!names.has(name)) this.#silentSinceMs.delete(name);
    }
    return orphans.filter((network) => {
      const sinceMs = this.#silentSinceMs.get(nameOf(network)) ?? nowMs;
      this.#silentSinceMs.set(nameOf(network), sinceMs);
      return network.lease === null || nowMs - sinceMs >= SILENCE_MS;
    });
  }
}

const nameOf = ({ id, epoch }: Network): string => `${id}-${epoch}`;
