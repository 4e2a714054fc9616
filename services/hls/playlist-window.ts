import { linesOf } from './lines.ts';
import { inEpoch, splitSequence } from './split-sequence.ts';
import type { SplitSequence } from './split-sequence.ts';
import { attributesOf, tagOf, valueOf } from './tag-line.ts';

/** Which segments a media playlist lists, in numbers. */
export type PlaylistWindow = {
  /** Media sequence number of the first segment, within its epoch. */
  readonly firstSequence: number;
  /** As in {@link SplitSequence}. */
  readonly epoch?: number;
  readonly segmentCount: number;
  /** Discontinuity sequence number before the first segment. */
  readonly discontinuitySequence: number;
  /** Segments with an `EXT-X-DISCONTINUITY` in front, counted from 0 in this playlist. */
  readonly discontinuities: readonly number[];
  /** Leading segments can be left out; not so where a byte range continues the one before. */
  readonly isTrimmable: boolean;
};

/**
 * Counts a media playlist's segments. `undefined` for what are no numbers, or larger than RFC 8216
 * allows: such a playlist is passed on, never renumbered.
 */
export function windowOf(text: string): PlaylistWindow | undefined {
  const counter = new WindowCounter();
  for (const { start, end } of linesOf(text)) counter.line(text.slice(start, end));
  const { window } = counter;
  const { firstSequence, segmentCount, discontinuitySequence } = window;
  return [firstSequence, segmentCount, discontinuitySequence].every(isCount) ? window : undefined;
}

class WindowCounter {
  readonly #discontinuities: number[] = [];
  #segmentCount = 0;
  #first: SplitSequence = { rest: 0 };
  #discontinuitySequence = 0;
  #isTrimmable = true;

  get window(): PlaylistWindow {
    return {
      firstSequence: this.#first.rest,
      ...inEpoch(this.#first.epoch),
      segmentCount: this.#segmentCount,
      discontinuitySequence: this.#discontinuitySequence,
      discontinuities: this.#discontinuities,
      isTrimmable: this.#isTrimmable,
    };
  }

  line(line: string): void {
    const tag = tagOf(line);
    if (tag === undefined) {
      if (isUriLine(line)) this.#segmentCount += 1;
    } else if (tag === 'EXT-X-MEDIA-SEQUENCE') this.#first = splitSequence(valueOf(line));
    else if (tag === 'EXT-X-DISCONTINUITY-SEQUENCE') {
      this.#discontinuitySequence = Number(valueOf(line));
    } else if (tag === 'EXT-X-DISCONTINUITY') this.#discontinuities.push(this.#segmentCount);
    else if (tag === 'EXT-X-BYTERANGE') this.#isTrimmable = false;
    else if (tag === 'EXT-X-SKIP') this.#skip(line);
  }

  /** A delta update leaves out segments that the player has from before: they count. */
  #skip(line: string): void {
    const skipped = attributesOf(line).find(({ name }) => name === 'SKIPPED-SEGMENTS');
    this.#segmentCount += Number(skipped?.value ?? 0);
    this.#isTrimmable = false;
  }
}

/** Whether a line is a URI: neither a tag, nor a comment, nor blank. */
export const isUriLine = (line: string): boolean => /^\s*[^#\s]/.test(line);

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
