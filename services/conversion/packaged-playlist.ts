import type { KeptSegment } from './segment-window.ts';

export type PackagedPlaylist = {
  readonly segments: readonly KeptSegment[];
  /** At least as long as any segment so far. */
  readonly targetDurationMs: number;
  readonly discontinuitySequence: number;
  readonly urlOf: (sequence: number) => string;
};

/** Writes a live media playlist (RFC 8216 §4.3.3). */
export function packagedPlaylist(playlist: PackagedPlaylist): string {
  const { segments, targetDurationMs, discontinuitySequence, urlOf } = playlist;
  const isIndependent = segments.every((segment) => segment.isIndependent);
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${Math.ceil(targetDurationMs / 1000)}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.sequence ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    ...(isIndependent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...segments.flatMap((segment, index) => segmentLines(segment, index === 0, urlOf)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The date of the first holds for all that follow it on one timeline. */
function segmentLines(
  { sequence, durationMs, startsAnew, startsAtMs }: KeptSegment,
  isFirst: boolean,
  urlOf: (sequence: number) => string,
): readonly string[] {
  const date = `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(startsAtMs)).toISOString()}`;
  return [
    ...(startsAnew ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(isFirst || startsAnew ? [date] : []),
    `#EXTINF:${(durationMs / 1000).toFixed(5)},`,
    urlOf(sequence),
  ];
}
