/** What a playlist tells of a segment. */
export type ListedSegment = {
  readonly sequence: number;
  readonly durationMs: number;
  /** Epoch milliseconds: when its first picture is due. */
  readonly startsAtMs: number;
  readonly startsAnew: boolean;
  readonly isIndependent: boolean;
};

export type PackagedPlaylist = {
  readonly segments: readonly ListedSegment[];
  /** At least as long as any segment so far. */
  readonly targetDurationMs: number;
  readonly discontinuitySequence: number;
  readonly urlOf: (sequence: number) => string;
  /** Where the initialization segment is that a segment needs, for media that has such. */
  readonly mapOf?: (sequence: number) => string;
};

/** Writes a live media playlist (RFC 8216 §4.3.3). */
export function packagedPlaylist(playlist: PackagedPlaylist): string {
  const { segments, targetDurationMs, discontinuitySequence, mapOf } = playlist;
  const isIndependent = segments.every((segment) => segment.isIndependent);
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${mapOf === undefined ? 3 : 7}`,
    `#EXT-X-TARGETDURATION:${Math.ceil(targetDurationMs / 1000)}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.sequence ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    ...(isIndependent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...segments.flatMap((_segment, index) => segmentLines(playlist, index)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The date of the first holds for all that follow it on one timeline; its map, until another. */
function segmentLines(playlist: PackagedPlaylist, index: number): readonly string[] {
  const { segments, urlOf, mapOf } = playlist;
  const segment = segments[index];
  if (segment === undefined) return [];
  const { sequence, durationMs, startsAnew, startsAtMs } = segment;
  const before = segments[index - 1];
  const date = `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(startsAtMs)).toISOString()}`;
  const map = mapOf?.(sequence);
  const isNewMap = before === undefined || mapOf?.(before.sequence) !== map;
  return [
    ...(startsAnew ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(map !== undefined && isNewMap ? [`#EXT-X-MAP:URI="${map}"`] : []),
    ...(before === undefined || startsAnew ? [date] : []),
    `#EXTINF:${(durationMs / 1000).toFixed(5)},`,
    urlOf(sequence),
  ];
}
