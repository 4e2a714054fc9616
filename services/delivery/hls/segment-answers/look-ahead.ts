import type { ListedResource } from '#hls';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { ConnectionPermit, SparePlace } from '#upstream';
import { type AheadItem, aheadOf } from './look-ahead-plan.ts';
import { Lru } from '#delivery/viewing';
import { placeKey, type ListPlace } from '#delivery/hls/playlists';

/** How a fetch ahead went. `useless`: it cannot be kept, or its source says no. */
export type AheadOutcome = 'fetched' | 'useless' | 'busy';

/** What look-ahead asks of the stream that it works for. */
export interface AheadStream {
  /** Where its lists have a resource now. */
  place(source: string, resource: ListedResource): ListPlace | undefined;
  /** A place at the provider, if nobody else wants it. Never rejects. */
  permit(): Promise<SparePlace | undefined>;
  /** Whether it is at hand, or on its way. */
  has(resource: ListedResource): boolean;
  /**
   * Fetches it, and releases the permit with the answer. Ends at once when the signal aborts, but
   * the fetch goes on for viewers who have joined it. Never rejects.
   */
  fetch(item: AheadItem, permit: ConnectionPermit, signal: AbortSignal): Promise<AheadOutcome>;
  /** A viewer that has not asked for this long has stopped. */
  readonly idleMs: number;
  /** How many segments are to be ahead now. */
  readonly count: number;
}

export type LookAheadOptions = {
  readonly stream: AheadStream;
  readonly clock: Clock;
  readonly timers: Timers;
};

type Position = { readonly source: string; readonly resource: ListedResource; atMs: number };

const MAX_VIEWERS = 256;
const MAX_REMEMBERED = 4096;
/** No place at the provider now: asked for again after this long. */
const ASK_AGAIN_MS = 1_000;
/** The source refuses, or is overloaded. */
const PAUSE_MS = 10_000;
/** What takes longer is no use to anybody: a body without end, or one that nobody takes. */
const DEADLINE_MS = 60_000;

/**
 * Fetches what viewers of one stream will ask for next: one at a time, only while no viewer waits
 * for the source, and nothing twice. Stops when the viewers stop.
 */
export class LookAhead {
  readonly #options: LookAheadOptions;
  readonly #positions = new Lru<string, Position>(MAX_VIEWERS);
  readonly #tried = new Lru<string, ListedResource>(MAX_REMEMBERED);
  #waiting = 0;
  #running: { readonly key: string; readonly abort: AbortController } | undefined;
  #timer: Timer | undefined;
  #pausedUntilMs = 0;
  #isClosed = false;

  constructor(options: LookAheadOptions) {
    this.#options = options;
  }

  /** A viewer asks for a segment: from there on it goes. */
  demanded(viewer: string, source: string, resource: ListedResource): void {
    const atMs = this.#options.clock.monotonicMs();
    this.#positions.set(viewer, { source, resource, atMs });
    this.#leaveOldWindow();
  }

  /** A viewer waits for the source. @returns how to say that it waits no longer, idempotent. */
  waits(): () => void {
    this.#waiting += 1;
    let isWaiting = true;
    return () => {
      if (!isWaiting) return;
      isWaiting = false;
      this.#waiting -= 1;
      this.go();
    };
  }

  /** A list has changed. What has left it may come again under the same name: some encoders do so. */
  listed(source: string): void {
    for (const [key, resource] of this.#tried.entries()) {
      const isListed = this.#options.stream.place(source, resource) !== undefined;
      if (!isListed && key !== this.#running?.key) this.#tried.delete(key);
    }
    this.go();
  }

  /** Something has changed: a viewer, or a place at the provider. */
  go(): void {
    if (this.#isClosed || this.#waiting > 0 || this.#running) return;
    if (this.#options.clock.monotonicMs() < this.#pausedUntilMs) return;
    const item = this.#wanted().find((one) => !this.#isDone(one));
    if (item) this.#start(item);
  }

  /** Ends what is under way. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#running?.abort.abort();
  }

  #start(item: AheadItem): void {
    const abort = new AbortController();
    const key = placeKey(item.resource);
    this.#running = { key, abort };
    this.#tried.set(key, item.resource);
    void this.#run(item, abort.signal);
  }

  async #run(item: AheadItem, given: AbortSignal): Promise<void> {
    const permit = await this.#options.stream.permit();
    const signal = permit && AbortSignal.any([given, permit.revoked]);
    if (signal && !given.aborted) return this.#fetch(item, permit, signal);
    permit?.release();
    this.#running = undefined;
    this.#tried.delete(placeKey(item.resource));
    this.#later(given.aborted ? 0 : ASK_AGAIN_MS);
  }

  async #fetch(item: AheadItem, permit: ConnectionPermit, signal: AbortSignal): Promise<void> {
    const { stream, clock, timers } = this.#options;
    const late = new AbortController();
    const deadline = timers.after(DEADLINE_MS, () => late.abort(), { background: true });
    const outcome = await stream.fetch(item, permit, AbortSignal.any([signal, late.signal]));
    deadline.cancel();
    this.#running = undefined;
    // A viewer took the place: this one has still to be fetched.
    if (signal.aborted) this.#tried.delete(placeKey(item.resource));
    if (outcome !== 'busy') return this.go();
    this.#pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
    this.#later(PAUSE_MS);
  }

  #wanted(): readonly AheadItem[] {
    const { stream } = this.#options;
    return aheadOf(this.#places(), stream.count);
  }

  /** Where viewers are, the newest first. */
  #places(): readonly ListPlace[] {
    const { stream, clock } = this.#options;
    const sinceMs = clock.monotonicMs() - stream.idleMs;
    return [...this.#positions.values()]
      .toReversed()
      .filter(({ atMs }) => atMs >= sinceMs)
      .map(({ source, resource }) => stream.place(source, resource))
      .filter((place) => place !== undefined);
  }

  #isDone({ resource }: AheadItem): boolean {
    return this.#tried.has(placeKey(resource)) || this.#options.stream.has(resource);
  }

  /** What nobody comes to any more is given up for what somebody will. */
  #leaveOldWindow(): void {
    const running = this.#running;
    if (!running) return;
    const isWanted = this.#wanted().some(({ resource }) => placeKey(resource) === running.key);
    const isDemanded = [...this.#positions.values()].some(
      ({ resource }) => placeKey(resource) === running.key,
    );
    if (!isWanted && !isDemanded) running.abort.abort();
  }

  #later(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    this.#timer = this.#options.timers.after(delayMs, () => this.go(), { background: true });
  }
}
