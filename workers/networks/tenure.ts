import { sleep } from '#kernel/clock';
import {
  RENEW_MS,
  beaten,
  begun,
  broadcastFailed,
  ended,
  failed,
  followed,
  programmeEnded,
  released,
  stopped,
} from '#networks';
import type { Beat, Network, NetworkFolder } from '#networks';
import type { KeeperOptions } from './ports.ts';
import { tellCallbacks } from './tell.ts';
import { Turn } from './turn.ts';
import type { TurnOutcome } from './turn.ts';

/** Before the next try, while the store is away. */
const TROUBLE_MS = 1_000;

/** The time that one worker has a network: renews the lease, and plays what is ordered. */
export class Tenure {
  readonly #options: KeeperOptions;
  readonly #draining: AbortSignal;
  readonly #epoch: number;
  readonly #lost = new AbortController();
  #view: Network;
  #playing: Network;
  #beat: Beat = {};
  #begunPid: number | undefined;
  #interrupting = new AbortController();
  #renewing: Promise<void> = Promise.resolve();
  #isRenewalDue = false;

  constructor(options: KeeperOptions, network: Network, draining: AbortSignal) {
    this.#options = options;
    this.#draining = draining;
    this.#epoch = network.epoch;
    this.#view = this.#playing = network;
  }

  /** Until the network is at rest, or another's. Never rejects. */
  async run(): Promise<void> {
    const { notes, logger } = this.#options;
    const { id } = this.#view;
    const stopListening = notes.listen((changed) => changed === id && this.#renew());
    const renewing = setInterval(() => this.#renew(), RENEW_MS);
    const drain = (): void => this.#interrupting.abort();
    this.#draining.addEventListener('abort', drain, { once: true });
    try {
      while (!this.#lost.signal.aborted && !this.#draining.aborted) {
        if (!(await this.#step())) return;
      }
    } catch (error) {
      logger.error('network lost', { networkId: id, error });
    } finally {
      stopListening();
      clearInterval(renewing);
      this.#draining.removeEventListener('abort', drain);
      await this.#release();
    }
  }

  /** @returns false when there is nothing more to do. */
  async #step(): Promise<boolean> {
    const network = this.#view;
    if (network.order === 'stop') {
      const rest = await this.#settle((current) => stopped(current, this.#epoch));
      return rest === undefined;
    }
    this.#playing = network;
    this.#beat = {};
    this.#begunPid = undefined;
    this.#interrupting = new AbortController();
    if (this.#draining.aborted || this.#lost.signal.aborted) return false;
    const folder = this.#options.openFolder(network);
    try {
      await folder.claim(this.#epoch);
      const outcome = await this.#play(network, folder);
      await this.#renewOnce(); // What was listed last is known before anything is decided.
      return this.#lost.signal.aborted ? false : await this.#after(outcome);
    } finally {
      await folder.close();
    }
  }

  async #play(network: Network, folder: NetworkFolder): Promise<TurnOutcome> {
    const turn = new Turn({
      ...this.#options,
      network,
      folder,
      interrupted: this.#interrupting.signal,
      told: (beat) => {
        this.#beat = { ...this.#beat, ...beat };
        this.#renew();
      },
      begun: (pid) => {
        this.#begunPid = pid;
        this.#renew();
      },
    });
    return turn.play();
  }

  /** @returns whether to go on. */
  async #after(outcome: TurnOutcome): Promise<boolean> {
    if (outcome.kind === 'interrupted') return true;
    const held = { epoch: this.#epoch, turn: this.#playing.turn };
    const next = await this.#settle((current, nowMs) => {
      if (current === undefined) return undefined;
      if (outcome.kind === 'failed') {
        const { error } = outcome;
        const callback = broadcastFailed(current, { ...outcome, nowMs });
        return failed(current, { ...held, nowMs, error, callback });
      }
      const callback = programmeEnded(current, { nowMs });
      return (
        followed(current, { ...held, nowMs, owed: callback }) ??
        ended(current, { ...held, nowMs, callback })
      );
    });
    if (next === undefined) return true; // An app has acted meanwhile: see what it wants.
    this.#view = next;
    return next.lease !== null;
  }

  /** Writes down how something has come out; waits for the store as long as it takes. */
  async #settle(
    change: Parameters<KeeperOptions['store']['change']>[1],
  ): Promise<Network | undefined> {
    const { store, timers } = this.#options;
    while (!this.#draining.aborted) {
      try {
        const next = await store.change(this.#view.id, change);
        if (next === undefined) await this.#renewOnce();
        else await this.#tell(next);
        return next;
      } catch {
        await sleep(timers, TROUBLE_MS, this.#draining).catch(() => {});
      }
    }
    return undefined;
  }

  /** One after the other; what is asked for while one waits is one more, not many. */
  #renew(): void {
    if (this.#isRenewalDue) return;
    this.#isRenewalDue = true;
    this.#renewing = this.#renewing.then(() => {
      this.#isRenewalDue = false;
      return this.#renewOnce();
    });
  }

  /** Never rejects: while the store is away, nobody else can take over either. */
  async #renewOnce(): Promise<void> {
    const { store } = this.#options;
    const { id, turn, folder } = this.#playing;
    const held = { epoch: this.#epoch, turn };
    try {
      const next = await store.change(id, (current, nowMs) => {
        const renewed = beaten(current, { ...held, folder, beat: this.#beat }, nowMs);
        const pid = this.#begunPid;
        if (renewed?.state !== 'starting' || pid === undefined) return renewed;
        return begun(renewed, { ...held, nowMs, pid }) ?? renewed;
      });
      if (next === undefined) return this.#lose();
      this.#see(next);
      await this.#tell(next);
    } catch (error) {
      this.#options.logger.debug('lease not renewed', { networkId: id, error });
    }
  }

  #see(next: Network): void {
    this.#view = next;
    if (next.turn !== this.#playing.turn || next.order === 'stop') this.#interrupting.abort();
  }

  #lose(): void {
    this.#lost.abort();
    this.#interrupting.abort();
  }

  async #tell(network: Network): Promise<void> {
    if (network.callbacks.length > 0) await tellCallbacks(this.#options, network);
  }

  /** Where it still is ours, somebody else is asked to go on. */
  async #release(): Promise<void> {
    const { store, queue } = this.#options;
    try {
      const free = await store.change(this.#view.id, (current) => released(current, this.#epoch));
      if (free !== undefined) await queue.ask(free);
    } catch {
      // The lease runs out; then somebody else finds the network.
    }
  }
}
