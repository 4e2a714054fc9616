import type { Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { Rounds } from '#kernel/rounds';
import type { Network, NetworkAttic, NetworkStore } from '#networks';

export type NetworkCleanerOptions = {
  readonly store: NetworkStore;
  readonly attic: NetworkAttic;
  /** Where segments of networks are; recordings are never touched. */
  readonly root: string;
  readonly intervalMs: number;
  /** A network that has been over for so long is forgotten, with its files. */
  readonly ageMs: number;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** An interval of 0 would be a loop. */
const LEAST_INTERVAL_MS = 1_000;

/** Removes what nobody asks for any more: networks that are over, and files that nothing lists. */
export class NetworkCleaner {
  readonly #options: NetworkCleanerOptions;
  readonly #rounds: Rounds;

  /** Starts at once. */
  constructor(options: NetworkCleanerOptions) {
    const { timers, intervalMs, logger } = options;
    this.#options = options;
    this.#rounds = new Rounds({
      timers,
      intervalMs: Math.max(LEAST_INTERVAL_MS, intervalMs),
      round: () => this.#clean(),
      failed: (error) => logger.warn('networks not cleaned', { error }),
    });
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #clean(): Promise<void> {
    const { store, attic, root, ageMs, logger } = this.#options;
    const { networks, nowMs } = await store.list();
    for (const network of networks) {
      if (!isOver(network, nowMs - ageMs) || !(await store.removeUnchanged(network))) continue;
      logger.info('network forgotten', { networkId: network.id });
      await attic.remove(network.folder);
    }
    const known = new Set(networks.map(({ folder }) => folder));
    for (const { path, idleMs } of await attic.folders(root)) {
      if (known.has(path)) await attic.removeUnlisted(path);
      else if (idleMs > ageMs) await attic.remove(path);
    }
  }
}

/** It rests, and its last media is older than this. */
const isOver = (network: Network, beforeMs: number): boolean =>
  !network.isDvr &&
  network.lease === null &&
  (network.state === 'stopped' || network.state === 'failed') &&
  network.callbacks.length === 0 &&
  network.startedAtMs + network.playedMs < beforeMs;
