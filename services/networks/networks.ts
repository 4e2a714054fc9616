import { sleep } from '#kernel/clock';
import type { Timers } from '#kernel/clock';
import type { NetworkId } from './ids.ts';
import type { Network } from './network.ts';
import {
  noNetworkWorker,
  noSuchNetwork,
  startFailed,
  startThrottled,
  stoppedMeanwhile,
} from './networks-error.ts';
import { startedBy, stoppedBy } from './orders.ts';
import type { StartRequest } from './orders.ts';
import type { NetworkFiles, NetworkNotes, NetworkQueue, NetworkStore } from './ports.ts';
import { startWaitMs } from './turns.ts';
import type { StartLimits } from './turns.ts';

export type NetworksOptions = {
  readonly store: NetworkStore;
  readonly notes: NetworkNotes;
  readonly queue: NetworkQueue;
  readonly files: NetworkFiles;
  readonly limits: StartLimits;
  readonly timers: Timers;
};

/** The lease of a lost worker runs out, another takes over, the old programme ends, one begins. */
const START_DEADLINE_MS = 25_000;
/** FFmpeg is given five seconds to finish its segment. */
const STOP_DEADLINE_MS = 12_000;
/** Changes are told; this is for those that were missed. */
const LOOK_AGAIN_MS = 500;
const MOST_KNOWN_FOLDERS = 1_000;

/**
 * Networks as apps see them: what they order is written down, and a worker carries it out. Nothing
 * here holds one network up for another.
 */
export class Networks {
  readonly #options: NetworksOptions;
  readonly #folders = new Map<NetworkId, string>();

  constructor(options: NetworksOptions) {
    this.#options = options;
  }

  /**
   * Starts a network, or another programme on one that runs; resolves when media has come.
   * @throws AppError `NETWORK_START_FAILED`, `NETWORK_START_THROTTLED`, `NETWORK_STOPPED`;
   *   DependencyError `WORKERS_AT_CAPACITY`, `STORE_UNAVAILABLE`, `QUEUE_UNAVAILABLE`.
   */
  async start(request: StartRequest): Promise<Network> {
    const { store, queue, limits } = this.#options;
    const { id } = request;
    const asked = await store.change(id, (current, nowMs) => {
      const waitMs = current === undefined ? 0 : startWaitMs(current, limits, nowMs);
      if (waitMs > 0) throw startThrottled(id, waitMs);
      return startedBy(request, current, nowMs);
    });
    if (asked === undefined) throw noNetworkWorker();
    this.#remember(id, asked.folder);
    await queue.ask(asked);
    const now = await this.#until(id, START_DEADLINE_MS, (network) => network.state !== 'starting');
    if (now === undefined || now.order === 'stop') throw stoppedMeanwhile(id);
    if (now.state === 'failed') throw startFailed(id, now.error ?? 'unknown reason');
    if (now.state !== 'starting') return now;
    await store.change(id, (current) =>
      current?.orderNumber === asked.orderNumber ? stoppedBy(current) : undefined,
    );
    throw noNetworkWorker();
  }

  /** Resolves when nothing runs any more. @throws NotFoundError `NETWORK_NOT_FOUND` */
  async stop(id: NetworkId): Promise<Network> {
    const stopped = await this.#stop(id);
    if (stopped === undefined) throw noSuchNetwork();
    return stopped;
  }

  /** @throws NotFoundError `NETWORK_NOT_FOUND` */
  async find(id: NetworkId): Promise<Network> {
    const network = await this.#options.store.find(id);
    if (network === undefined) throw noSuchNetwork();
    return network;
  }

  async list(): Promise<readonly Network[]> {
    const { networks } = await this.#options.store.list();
    return networks.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  }

  /**
   * Stops a network and removes its files.
   * @param folders - Where files of it may be besides.
   * @returns false when there was none.
   */
  async remove(id: NetworkId, folders: readonly string[]): Promise<boolean> {
    const { store, files } = this.#options;
    const stopped = await this.#stop(id);
    if (stopped !== undefined) await store.remove(id);
    this.#folders.delete(id);
    const own = stopped === undefined ? [] : [stopped.folder];
    for (const folder of new Set([...folders, ...own])) await files.remove(folder);
    return stopped !== undefined;
  }

  /**
   * Where a network's files are. What was known last holds while the store is away.
   * @throws NotFoundError `NETWORK_NOT_FOUND`; DependencyError `STORE_UNAVAILABLE`.
   */
  async folderOf(id: NetworkId): Promise<string> {
    try {
      const { folder } = await this.find(id);
      this.#remember(id, folder);
      return folder;
    } catch (error) {
      const known = this.#folders.get(id);
      if (known === undefined || isNotFound(error)) throw error;
      return known;
    }
  }

  #remember(id: NetworkId, folder: string): void {
    if (this.#folders.size < MOST_KNOWN_FOLDERS) this.#folders.set(id, folder);
  }

  async #stop(id: NetworkId): Promise<Network | undefined> {
    const { store, queue } = this.#options;
    const current = await store.change(id, (there) => there && stoppedBy(there));
    if (current?.state !== 'stopping') return current;
    // Where the worker is gone, another has to find out.
    await queue.ask(current);
    const now = await this.#until(id, STOP_DEADLINE_MS, ({ state }) => state !== 'stopping');
    return now ?? current;
  }

  /** The record when it holds, or as it is when the time is over; undefined when it is removed. */
  async #until(
    id: NetworkId,
    deadlineMs: number,
    holds: (network: Network) => boolean,
  ): Promise<Network | undefined> {
    const { store, notes, timers } = this.#options;
    let told = Promise.withResolvers<void>();
    const stopListening = notes.listen((changed) => changed === id && told.resolve());
    const over = AbortSignal.timeout(deadlineMs);
    try {
      for (;;) {
        told = Promise.withResolvers();
        const network = await store.find(id);
        if (network === undefined || holds(network) || over.aborted) return network;
        await Promise.race([told.promise, sleep(timers, LOOK_AGAIN_MS, over).catch(() => {})]);
      }
    } finally {
      stopListening();
    }
  }
}

const isNotFound = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'NETWORK_NOT_FOUND';
