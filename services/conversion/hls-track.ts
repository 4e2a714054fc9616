import { AppError } from '#kernel/app-error';
import { sleep } from '#kernel/clock';
import type { Clock, Timers } from '#kernel/clock';
import type { MediaSegment } from '#hls';
import type { PlaylistFollower } from './playlist-follower.ts';
import type { TakeBytes } from './read-body.ts';
import type { SegmentReader } from './segment-reader.ts';

/** How far media may run ahead of time: a film must not be fetched whole. */
const LEAD_MS = 20_000;
/** One bad segment is left out; this many in a row are a bad source. */
const MOST_FAILED_SEGMENTS = 2;

export type HlsTrackOptions = {
  readonly follower: PlaylistFollower;
  readonly reader: SegmentReader;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A segment has been handed on whole. */
  readonly played: (segment: MediaSegment) => void;
};

/** Plays one media playlist: its segments in order, each from its first byte to its last. */
export class HlsTrack {
  readonly #options: HlsTrackOptions;
  readonly #startedAtMs: number;
  #sentMs = 0;
  /** Begins the next timeline. */
  #kept: MediaSegment | undefined;
  #failures = 0;

  constructor(options: HlsTrackOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
  }

  get follower(): PlaylistFollower {
    return this.#options.follower;
  }

  /**
   * Hands segments on for as long as they are of one timeline: up to a discontinuity, a new init
   * section, or a segment that could not be had.
   * @returns `anew`: call again, for the next timeline. `over`: the playlist has ended.
   * @throws AppError when the playlist or two segments in a row fail; the signal's reason.
   */
  async play(take: TakeBytes, signal: AbortSignal): Promise<'anew' | 'over'> {
    let before: MediaSegment | undefined;
    for (;;) {
      const segment = this.#kept ?? (await this.follower.next(signal));
      this.#kept = undefined;
      if (segment === undefined) return 'over';
      if (before !== undefined && isAnew(segment, before)) {
        this.#kept = segment;
        return 'anew';
      }
      await this.#keepPace(signal);
      const isWhole = await this.#read({ segment, isFirst: before === undefined, take }, signal);
      this.#sentMs += segment.durationMs;
      if (!isWhole) return 'anew';
      before = segment;
    }
  }

  async #read(
    { segment, isFirst, take }: { segment: MediaSegment; isFirst: boolean; take: TakeBytes },
    signal: AbortSignal,
  ): Promise<boolean> {
    if (segment.isGap) return false;
    const { reader, played } = this.#options;
    const { map, sequence } = segment;
    try {
      if (isFirst && map !== undefined) await reader.read({ ...map, sequence }, take, signal);
      await reader.read(segment, take, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#failures += 1;
      if (!(error instanceof AppError) || this.#failures >= MOST_FAILED_SEGMENTS) throw error;
      return false;
    }
    this.#failures = 0;
    played(segment);
    return true;
  }

  async #keepPace(signal: AbortSignal): Promise<void> {
    const { clock, timers } = this.#options;
    const aheadMs = this.#sentMs - (clock.monotonicMs() - this.#startedAtMs);
    if (aheadMs > LEAD_MS) await sleep(timers, aheadMs - LEAD_MS, signal);
  }
}

const isAnew = (segment: MediaSegment, before: MediaSegment): boolean =>
  segment.startsAnew || keyOf(segment.map) !== keyOf(before.map);

const keyOf = (map: MediaSegment['map']): string =>
  map === undefined ? '' : `${map.url} ${map.span?.offset ?? 0}`;
