import { UpstreamError } from '#kernel/app-error';
import { sleep } from '#kernel/clock';
import type { Clock, Timers } from '#kernel/clock';
import type { MediaSegment, MediaList } from '#hls';

/** Of a live playlist that has begun again, so much is new. */
const FROM_LIVE_EDGE = 3;
/** A live playlist that has not grown for so many target durations stands still. */
export const STALE_TARGETS = 3;
const LEAST_STALE_MS = 6_000;
/** One failed reload is nothing yet: what has been sent lasts for a while. */
const MOST_FAILED_LOADS = 2;
const RETRY_LOAD_MS = 1_000;
const REMEMBERED_URLS = 64;

export type PlaylistFollowerOptions = {
  readonly first: MediaList;
  readonly load: (signal: AbortSignal) => Promise<MediaList>;
  /** The place of the segment to begin with. */
  readonly startAt: number;
  readonly clock: Clock;
  readonly timers: Timers;
};

/**
 * Gives the segments of one media playlist, in order, as a player would ask for them: a live one
 * as it grows, a finished one to its end. Asks for it again no more often than RFC 8216 §6.3.4 allows.
 */
export class PlaylistFollower {
  readonly #options: PlaylistFollowerOptions;
  /** The playlist was finished when it was first read: a film. */
  readonly isFilm: boolean;
  readonly #seen = new Set<string>();
  #queue: MediaSegment[] = [];
  #last = -1;
  #targetDurationMs: number;
  #isEnded = false;
  #loadedAtMs: number;
  #grewAtMs: number;
  #delayMs: number;
  #failedLoads = 0;

  constructor(options: PlaylistFollowerOptions) {
    const nowMs = options.clock.monotonicMs();
    this.#options = options;
    this.isFilm = options.first.isEnded;
    this.#targetDurationMs = options.first.targetDurationMs;
    this.#delayMs = this.#targetDurationMs;
    this.#loadedAtMs = nowMs;
    this.#grewAtMs = nowMs;
    this.#begin(options.first);
  }

  get targetDurationMs(): number {
    return this.#targetDurationMs;
  }

  /** How long a live playlist may stand still. */
  get staleMs(): number {
    return Math.max(LEAST_STALE_MS, STALE_TARGETS * this.#targetDurationMs);
  }

  /**
   * The next segment, when there is one; undefined when the playlist has ended.
   * @throws UpstreamError `UPSTREAM_STALLED` when it does not grow; what `load` throws, twice.
   */
  async next(signal: AbortSignal): Promise<MediaSegment | undefined> {
    for (;;) {
      const segment = this.#queue.shift();
      if (segment !== undefined) return segment;
      if (this.#isEnded) return undefined;
      await this.#reload(signal);
    }
  }

  async #reload(signal: AbortSignal): Promise<void> {
    const { clock, timers, load } = this.#options;
    const waitMs = this.#loadedAtMs + this.#delayMs - clock.monotonicMs();
    if (waitMs > 0) await sleep(timers, waitMs, signal);
    this.#loadedAtMs = clock.monotonicMs();
    try {
      this.#take(await load(signal));
      this.#failedLoads = 0;
    } catch (error) {
      signal.throwIfAborted();
      this.#failedLoads += 1;
      if (this.#failedLoads >= MOST_FAILED_LOADS || isStall(error)) throw error;
      this.#delayMs = Math.min(RETRY_LOAD_MS, this.#targetDurationMs / 2);
    }
  }

  #begin(list: MediaList): void {
    this.#isEnded = list.isEnded;
    this.#last = list.segments.at(-1)?.sequence ?? -1;
    this.#note(list.segments);
    this.#add(list.segments.slice(this.#options.startAt));
  }

  #take(list: MediaList): void {
    this.#targetDurationMs = list.targetDurationMs;
    this.#isEnded = list.isEnded;
    const fresh = this.#freshIn(list);
    const nowMs = this.#options.clock.monotonicMs();
    if (fresh.length > 0) {
      this.#grewAtMs = nowMs;
      this.#delayMs = this.#targetDurationMs;
      return this.#add(fresh);
    }
    this.#delayMs = this.#targetDurationMs / 2;
    if (!this.#isEnded && nowMs - this.#grewAtMs >= this.staleMs) throw standsStill();
  }

  #freshIn({ segments }: MediaList): readonly MediaSegment[] {
    const newer = segments.filter(({ sequence }) => sequence > this.#last);
    const [first, ...rest] = newer;
    if (first !== undefined) {
      const isNext = this.#last < 0 || first.sequence === this.#last + 1;
      return isNext ? newer : [{ ...first, startsAnew: true }, ...rest];
    }
    // Lower numbers: an old copy from some cache, or a list that has begun again.
    const newest = segments.at(-1);
    if (newest === undefined || this.#seen.has(newest.url)) return [];
    const [again, ...others] = segments.slice(-FROM_LIVE_EDGE);
    return again === undefined ? [] : [{ ...again, startsAnew: true }, ...others];
  }

  #add(segments: readonly MediaSegment[]): void {
    this.#queue.push(...segments);
    this.#last = segments.at(-1)?.sequence ?? this.#last;
    this.#note(segments);
  }

  #note(segments: readonly MediaSegment[]): void {
    for (const { url } of segments.slice(-REMEMBERED_URLS)) this.#seen.add(url);
    for (const url of this.#seen) {
      if (this.#seen.size <= REMEMBERED_URLS) break;
      this.#seen.delete(url);
    }
  }
}

const isStall = (error: unknown): boolean =>
  error instanceof UpstreamError && error.code === 'UPSTREAM_STALLED';

const standsStill = (): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', { message: 'The playlist has stopped growing.' });
