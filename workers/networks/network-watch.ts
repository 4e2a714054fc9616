import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { Rounds } from '#kernel/rounds';
import { Silences } from '#kernel/silences';
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
  /** By network and epoch. */
  readonly #silences = new Silences<string>();
  readonly #rounds: Rounds;

  /** Starts at once. */
  constructor(options: NetworkWatchOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      timers: options.timers,
      intervalMs: INTERVAL_MS,
      round: () => this.#look(),
      failed: (error, isNew) => this.#failed(error, isNew),
    });
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #look(): Promise<void> {
    const { store, queue } = this.#options;
    const { networks, nowMs } = await store.list();
    const orphans = networks.filter((network) => isOrphan(network, nowMs));
    for (const network of this.#silentAmong(orphans)) await queue.ask(network);
    for (const network of networks) {
      if (network.callbacks.length > 0) await tellCallbacks(this.#options, network);
    }
  }

  #failed(error: unknown, isNew: boolean): void {
    this.#silences.clear(); // Nobody could be heard meanwhile.
    if (isNew) this.#options.logger.warn('networks are not watched', { error });
  }

  /** Those that were let go, and those whose worker stays silent. */
  #silentAmong(orphans: readonly Network[]): readonly Network[] {
    const silent = this.#silences.look(orphans.map(nameOf), this.#options.clock.monotonicMs());
    return orphans.filter(
      (network) => network.lease === null || (silent.get(nameOf(network)) ?? 0) >= SILENCE_MS,
    );
  }
}

const nameOf = ({ id, epoch }: Network): string => `${id}-${epoch}`;
