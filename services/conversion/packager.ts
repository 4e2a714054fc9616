import type { Clock } from '#kernel/clock';
import { expectedMs } from './cut-policy.ts';
import { firstNumbers } from './numbering.ts';
import { packagedPlaylist } from './packaged-playlist.ts';
import type { PackagedPart, Packaging, PartUrl } from './packaging.ts';
import { SegmentCutter } from './segment-cutter.ts';
import type { CutSegment } from './segment-cutter.ts';
import { SegmentWindow } from './segment-window.ts';
import type { KeptSegment } from './segment-window.ts';

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

/** Enough for a player to begin with; keyframes are seldom on the millisecond. */
const READY_TARGETS = 0.95;
/** One segment may take this part of the memory. */
const SHARE_OF_ONE = 1 / 4;

/** Makes an HLS stream of a transport stream. */
export class Packager implements Packaging {
  readonly #cutter: SegmentCutter;
  readonly #window: SegmentWindow;
  readonly #firstDiscontinuity: number;
  readonly #targetMs: number;
  readonly #readyMs: number;
  readonly #ready = Promise.withResolvers<void>();
  #longestMs: number;

  constructor(options: PackagerOptions) {
    const { targetMs, mostBytes, discontinuityBefore, clock } = options;
    this.#targetMs = targetMs;
    this.#readyMs = options.readyMs ?? targetMs * READY_TARGETS;
    this.#longestMs = targetMs;
    const first = firstNumbers(clock.nowMs(), discontinuityBefore);
    this.#firstDiscontinuity = first.discontinuity;
    this.#window = new SegmentWindow({ firstSequence: first.sequence, mostBytes });
    this.#cutter = new SegmentCutter({
      targetMs,
      mostBytes: mostBytes * SHARE_OF_ONE,
      clock,
      cut: (segment) => this.#add(segment),
    });
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get targetDurationMs(): number {
    return this.#longestMs;
  }

  get lastDiscontinuity(): number {
    return this.#firstDiscontinuity + this.#window.discontinuities;
  }

  write(bytes: Buffer): void {
    this.#cutter.push(bytes);
  }

  /** @param urlOf - Where the segment of this number is to be asked for. */
  playlist(urlOf: (sequence: number) => string): string {
    return packagedPlaylist({
      segments: this.#window.listed,
      targetDurationMs: this.#longestMs,
      discontinuitySequence: this.#firstDiscontinuity + this.#window.discontinuitiesBefore,
      urlOf,
    });
  }

  text(urlOf: PartUrl, list?: string): string | undefined {
    if (list !== undefined) return undefined;
    return this.playlist((sequence) => urlOf({ name: String(sequence), file: 'segment.ts' }));
  }

  part(name: string): PackagedPart | undefined {
    const segment = this.segment(Number(name));
    return segment && { bytes: segment.bytes, contentType: 'video/mp2t' };
  }

  /** A segment that a playlist has listed; undefined when it is not kept any more. */
  segment(sequence: number): KeptSegment | undefined {
    return this.#window.find(sequence);
  }

  #add(segment: CutSegment): void {
    this.#window.add(segment);
    const dueMs = expectedMs(this.#cutter.gopMs, this.#targetMs);
    this.#longestMs = Math.max(this.#longestMs, segment.durationMs, dueMs);
    const listedMs = this.#window.listed.reduce((sum, { durationMs }) => sum + durationMs, 0);
    if (listedMs >= this.#readyMs) this.#ready.resolve();
  }
}
