import { linesOf } from './lines.ts';
import { tagOf, valueOf } from './tag-line.ts';

/** Which segments a media playlist lists, in numbers. */
export type PlaylistWindow = {
  /** Media sequence number of the first segment. */
  readonly firstSequence: number;
  readonly segmentCount: number;
  /** Discontinuity sequence number before the first segment. */
  readonly discontinuitySequence: number;
  /** Segments with an `EXT-X-DISCONTINUITY` in front, counted from 0 in this playlist. */
  readonly discontinuities: readonly number[];
  /** Leading segments can be left out; not so where a byte range continues the one before. */
  readonly isTrimmable: boolean;
};

/**
 * Counts a media playlist's segments. `undefined` for numbers that arithmetic cannot hold
 * (RFC 8216 allows up to 2^64 - 1): such a playlist is passed on, never renumbered.
 */
export function windowOf(text: string): PlaylistWindow | undefined {
  let segmentCount = 0;
  let firstSequence = 0;
  let discontinuitySequence = 0;
  let isTrimmable = true;
  const discontinuities: number[] = [];
  for (const { start, end } of linesOf(text)) {
    const line = text.slice(start, end);
    const tag = tagOf(line);
    if (tag === 'EXT-X-MEDIA-SEQUENCE') firstSequence = Number(valueOf(line));
    else if (tag === 'EXT-X-DISCONTINUITY-SEQUENCE') discontinuitySequence = Number(valueOf(line));
    else if (tag === 'EXT-X-DISCONTINUITY') discontinuities.push(segmentCount);
    else if (tag === 'EXT-X-BYTERANGE') isTrimmable = false;
    else if (isUriLine(line)) segmentCount += 1;
  }
  if (!isCount(firstSequence) || !isCount(discontinuitySequence)) return undefined;
  return { firstSequence, segmentCount, discontinuitySequence, discontinuities, isTrimmable };
}

/** Whether a line is a URI: neither a tag, nor a comment, nor blank. */
export const isUriLine = (line: string): boolean => /^\s*[^#\s]/.test(line);

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
