import { keptTrack, newsOf, resumedTrack } from '#hls';
import type { KeptTrack, ShownTrack, TrackArrival } from '#hls';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import { Lru } from '#delivery/viewing';
import type { NumberStore } from './number-store.ts';

export type KeptNumbersOptions = {
  readonly streamId: StreamId;
  readonly store: NumberStore;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Another process has left this: `source` is the tag of the one that it had in use. */
  readonly resumed: (source: string, ageMs: number) => void;
};

/** A track by its key, and how long before it was written it was last known to be so. */
type Entry = readonly [key: string, track: KeptTrack, agoMs: number];
type Kept = { readonly v: 1; readonly source: string; readonly tracks: readonly Entry[] };
type Found = { readonly track: KeptTrack; readonly atMs: number };

/** As many as are followed. */
const MAX_TRACKS = 64;

/** While somebody asks it is written so often at least, so that what is read is never old. */
const KEEP_EVERY_MS = 60_000;
/** And never more often than this. */
const PAUSE_MS = 1_000;

/**
 * The numbers that viewers of one stream have seen, kept for the process that serves it next.
 * Written at once when its source changes, within a second when a track is first shown or has a new
 * discontinuity, and once a minute; not at each reload.
 */
export class KeptNumbers {
  readonly #options: KeptNumbersOptions;
  readonly #tracks = new Lru<string, KeptTrack>(MAX_TRACKS);
  /** What another process has kept, until it is taken up; and when that was, monotonic. */
  #found = new Map<string, Found>();
  #source = '';
  #keptAtMs = Number.NEGATIVE_INFINITY;
  #writing: Timer | undefined;
  #isClosed = false;
  #loaded: Promise<void>;

  constructor(options: KeptNumbersOptions) {
    this.#options = options;
    this.#loaded = this.#load(true);
  }

  /** Resolves when what was kept has been read, or cannot be. Never rejects. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  /** This process serves the stream again: another may have served it in between. */
  reload(): void {
    this.#loaded = this.#load(false);
  }

  /** What another process has shown of a track, if it has. */
  found(key: string): KeptTrack | undefined {
    return this.#found.get(key)?.track;
  }

  /** The same, to go on from when `arrival` has come. */
  resume(key: string, arrival: TrackArrival): ShownTrack | undefined {
    const found = this.#found.get(key);
    return found && resumedTrack(found.track, arrival, arrival.nowMs - found.atMs);
  }

  /** Viewers are shown this now. */
  shown(key: string, shown: ShownTrack): void {
    this.#found.delete(key);
    const next = keptTrack(shown);
    const news = newsOf(this.#tracks.get(key), next);
    this.#tracks.set(key, next);
    this.#source = shown.source;
    if (news === 'switch') this.#keep();
    else if (news === 'news' || this.#isOld) this.#keepSoon();
  }

  /** Nothing is written from now on. @param isRemoved - The stream is no more. */
  close(isRemoved: boolean): void {
    this.#isClosed = true;
    this.#writing?.cancel();
    if (isRemoved) this.#options.store.drop(this.#options.streamId);
  }

  get #isOld(): boolean {
    return this.#options.clock.monotonicMs() - this.#keptAtMs >= KEEP_EVERY_MS;
  }

  async #load(withOwn: boolean): Promise<void> {
    const { store, streamId, clock, resumed } = this.#options;
    const stored = await store.load(streamId);
    if (!stored || (stored.isOwn && !withOwn)) return;
    const { v, source, tracks } = JSON.parse(stored.text) as Kept;
    if (v !== 1) return;
    const writtenAtMs = clock.monotonicMs() - stored.ageMs;
    this.#found = new Map(
      tracks.map(([key, track, agoMs]) => [key, { track, atMs: writtenAtMs - agoMs }]),
    );
    resumed(source, stored.ageMs);
  }

  #keepSoon(): void {
    if (this.#writing || this.#isClosed) return;
    const { clock, timers } = this.#options;
    const waitMs = this.#keptAtMs + PAUSE_MS - clock.monotonicMs();
    if (waitMs <= 0) return this.#keep();
    this.#writing = timers.after(waitMs, () => this.#keep(), { background: true });
  }

  #keep(): void {
    const { store, streamId, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#isClosed) return;
    this.#writing?.cancel();
    this.#writing = undefined;
    this.#keptAtMs = nowMs;
    // What nobody has asked for here since it was found may be asked for yet.
    const found = [...this.#found].map(([key, { track, atMs }]): Entry => [
      key,
      track,
      nowMs - atMs,
    ]);
    const shown = [...this.#tracks.entries()].map(([key, track]): Entry => [key, track, 0]);
    const tracks = [...found, ...shown].slice(-MAX_TRACKS);
    const kept: Kept = { v: 1, source: this.#source, tracks };
    store.save(streamId, JSON.stringify(kept));
  }
}
