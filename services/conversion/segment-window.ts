import type { CutSegment } from './segment-cutter.ts';

/** A segment under the number that players know it by. */
export type Kept<Segment> = Segment & { readonly sequence: number };

export type KeptSegment = Kept<CutSegment>;

/** As much of a segment as its place in the window depends on. */
type Sized = {
  readonly bytes: { readonly length: number };
  readonly startsAnew: boolean;
};

export type SegmentWindowOptions = {
  /** Of the first segment. */
  readonly firstSequence: number;
  readonly mostBytes: number;
};

/** Listed for players: what they may begin with. */
const LISTED = 6;
/** Kept beyond that, for players that still have an older list. */
const KEPT = 4;
/** However large they are, or there would be no stream. */
const LEAST_KEPT = 2;

const marksOf = (segments: readonly Sized[]): number =>
  segments.filter(({ startsAnew }) => startsAnew).length;

/** The last segments of a stream, as many as players need and memory allows. */
export class SegmentWindow<Segment extends Sized = CutSegment> {
  readonly #options: SegmentWindowOptions;
  #kept: readonly Kept<Segment>[] = [];
  #bytes = 0;
  #nextSequence: number;
  /** Discontinuities in front of segments that are not kept any more. */
  #gone = 0;

  constructor(options: SegmentWindowOptions) {
    this.#options = options;
    this.#nextSequence = options.firstSequence;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the segment that is added next. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** What a playlist shows, oldest first. */
  get listed(): readonly Kept<Segment>[] {
    return this.#kept.slice(-LISTED);
  }

  /** `EXT-X-DISCONTINUITY` tags that were in front of what is listed now (RFC 8216 §6.2.2). */
  get discontinuitiesBefore(): number {
    return this.#gone + marksOf(this.#kept.slice(0, -LISTED));
  }

  /** All so far. */
  get discontinuities(): number {
    return this.#gone + marksOf(this.#kept);
  }

  /** All that is kept, also what is listed no more; oldest first. */
  get kept(): readonly Kept<Segment>[] {
    return this.#kept;
  }

  find(sequence: number): Kept<Segment> | undefined {
    return this.#kept.find((segment) => segment.sequence === sequence);
  }

  add(segment: Segment): void {
    this.#kept = [...this.#kept, { ...segment, sequence: this.#nextSequence }];
    this.#nextSequence += 1;
    this.#bytes += segment.bytes.length;
    while (this.#isTooMuch()) this.#dropOldest();
  }

  #isTooMuch(): boolean {
    const { length } = this.#kept;
    return length > LISTED + KEPT || (length > LEAST_KEPT && this.#bytes > this.#options.mostBytes);
  }

  #dropOldest(): void {
    const [oldest, ...rest] = this.#kept;
    this.#kept = rest;
    this.#bytes -= oldest?.bytes.length ?? 0;
    if (oldest?.startsAnew) this.#gone += 1;
  }
}
