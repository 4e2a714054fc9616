import type { CutSegment } from './segment-cutter.ts';

export type KeptSegment = CutSegment & { readonly sequence: number };

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

/** The last segments of a stream, as many as players need and memory allows. */
export class SegmentWindow {
  readonly #options: SegmentWindowOptions;
  #kept: readonly KeptSegment[] = [];
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

  /** What a playlist shows, oldest first. */
  get listed(): readonly KeptSegment[] {
    return this.#kept.slice(-LISTED);
  }

  /** `EXT-X-DISCONTINUITY` tags that were in front of what is listed now (RFC 8216 §6.2.2). */
  get discontinuitiesBefore(): number {
    const unlisted = this.#kept.slice(0, -LISTED).filter(({ startsAnew }) => startsAnew).length;
    return this.#gone + unlisted;
  }

  find(sequence: number): KeptSegment | undefined {
    return this.#kept.find((segment) => segment.sequence === sequence);
  }

  add(segment: CutSegment): void {
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
