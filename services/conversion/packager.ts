import type { Clock } from '#kernel/clock';
import { expectedMs } from './cut-policy.ts';
import { packagedPlaylist } from './packaged-playlist.ts';
import { SegmentCutter } from './segment-cutter.ts';
import type { CutSegment } from './segment-cutter.ts';
import { SegmentWindow } from './segment-window.ts';
import type { KeptSegment } from './segment-window.ts';

export type PackagerOptions = {
  /** How long segments should be. */
  readonly targetMs: number;
  /** What all segments may take in memory. */
  readonly mostBytes: number;
  readonly clock: Clock;
};

/** Enough for a player to begin with; keyframes are seldom on the millisecond. */
const READY_TARGETS = 0.95;
/** Numbers begin with the time in seconds, so that a later packager never goes back. */
const NUMBERS_SINCE_MS = Date.UTC(2024, 0, 1);
/** One segment may take this part of the memory. */
const SHARE_OF_ONE = 1 / 4;

/**
 * Makes an HLS stream of a transport stream, in memory: bytes go in by `write`, segments and their
 * playlist come out. Knows nothing of who sends and who watches.
 */
export class Packager {
  readonly #cutter: SegmentCutter;
  readonly #window: SegmentWindow;
  readonly #firstNumber: number;
  readonly #targetMs: number;
  readonly #ready = Promise.withResolvers<void>();
  #longestMs: number;

  constructor({ targetMs, mostBytes, clock }: PackagerOptions) {
    this.#targetMs = targetMs;
    this.#longestMs = targetMs;
    this.#firstNumber = Math.floor((clock.nowMs() - NUMBERS_SINCE_MS) / 1000);
    this.#window = new SegmentWindow({ firstSequence: this.#firstNumber, mostBytes });
    this.#cutter = new SegmentCutter({
      targetMs,
      mostBytes: mostBytes * SHARE_OF_ONE,
      clock,
      cut: (segment) => this.#add(segment),
    });
  }

  /** Resolves when there is enough for a player to begin with. Never rejects. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** No segment so far is longer, in milliseconds, nor should one to come be; never falls. */
  get targetDurationMs(): number {
    return this.#longestMs;
  }

  /** Takes the next bytes, which may be lent: they are copied. */
  write(bytes: Buffer): void {
    this.#cutter.push(bytes);
  }

  /** @param urlOf - Where the segment of this number is to be asked for. */
  playlist(urlOf: (sequence: number) => string): string {
    return packagedPlaylist({
      segments: this.#window.listed,
      targetDurationMs: this.#longestMs,
      discontinuitySequence: this.#firstNumber + this.#window.discontinuitiesBefore,
      urlOf,
    });
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
    if (listedMs >= this.#targetMs * READY_TARGETS) this.#ready.resolve();
  }
}
