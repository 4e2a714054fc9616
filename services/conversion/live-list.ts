import type { Clock } from '#kernel/clock';
import { expectedMs } from './cut-policy.ts';
import { firstNumbers } from './numbering.ts';
import { packagedPlaylist } from './packaged-playlist.ts';
import type { ListedSegment, PackagedPlaylist } from './packaged-playlist.ts';
import { SegmentWindow } from './segment-window.ts';
import type { Kept } from './segment-window.ts';

export type PackagerOptions = {
  /** How long segments should be. */
  readonly targetMs: number;
  /** What all segments may take in memory. */
  readonly mostBytes: number;
  /** So much has to be listed for players to begin with; about one segment's worth, when absent. */
  readonly readyMs?: number | undefined;
  /** The last discontinuity number of the stream's packager before, if it is known. */
  readonly discontinuityBefore?: number | undefined;
  readonly clock: Clock;
};

/** A finished segment of either packager. */
type Finished = Omit<ListedSegment, 'sequence'> & {
  readonly bytes: { readonly length: number };
};

/** Enough for a player to begin with; keyframes are seldom on the millisecond. */
const READY_TARGETS = 0.95;
/** One segment may take this part of the memory. */
const SHARE_OF_ONE = 1 / 4;

/** What one segment may take in memory where all may take so much. */
export const mostBytesOfOne = (mostBytes: number): number => mostBytes * SHARE_OF_ONE;

/**
 * The live list of what a packager has cut, whatever its segments hold: it numbers them, keeps the
 * last, and knows when there is enough for a player to begin with.
 */
export class LiveList<Segment extends Finished> {
  readonly #window: SegmentWindow<Segment>;
  readonly #firstDiscontinuity: number;
  readonly #targetMs: number;
  readonly #readyMs: number;
  readonly #ready = Promise.withResolvers<void>();
  #longestMs: number;

  constructor(options: PackagerOptions) {
    const { targetMs, mostBytes, discontinuityBefore, clock } = options;
    const first = firstNumbers(clock.nowMs(), discontinuityBefore);
    this.#targetMs = targetMs;
    this.#readyMs = options.readyMs ?? targetMs * READY_TARGETS;
    this.#longestMs = targetMs;
    this.#firstDiscontinuity = first.discontinuity;
    this.#window = new SegmentWindow({ firstSequence: first.sequence, mostBytes });
  }

  /** As {@link Packaging.ready}. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }
  /** As {@link Packaging.targetDurationMs}. */
  get targetDurationMs(): number {
    return this.#longestMs;
  }
  /** As {@link Packaging.lastDiscontinuity}. */
  get lastDiscontinuity(): number {
    return this.#firstDiscontinuity + this.#window.discontinuities;
  }
  /** What a playlist shows, oldest first. */
  get listed(): readonly Kept<Segment>[] {
    return this.#window.listed;
  }
  /** Also what is listed no more. */
  get kept(): readonly Kept<Segment>[] {
    return this.#window.kept;
  }
  /** Of the segment that is added next. */
  get nextSequence(): number {
    return this.#window.nextSequence;
  }

  /** A segment that a playlist has listed; undefined when it is not kept any more. */
  find(sequence: number): Kept<Segment> | undefined {
    return this.#window.find(sequence);
  }

  /** @param gopMs - From the keyframe before to the last one: the next is expected as far away. */
  add(segment: Segment, gopMs: number): void {
    this.#window.add(segment);
    const dueMs = expectedMs(gopMs, this.#targetMs);
    this.#longestMs = Math.max(this.#longestMs, segment.durationMs, dueMs);
    const listedMs = this.listed.reduce((sum, { durationMs }) => sum + durationMs, 0);
    if (listedMs >= this.#readyMs) this.#ready.resolve();
  }

  playlist(urls: Pick<PackagedPlaylist, 'urlOf' | 'mapOf'>): string {
    return packagedPlaylist({
      segments: this.listed,
      targetDurationMs: this.#longestMs,
      discontinuitySequence: this.#firstDiscontinuity + this.#window.discontinuitiesBefore,
      ...urls,
    });
  }
}
