import type { ListedSegment, SegmentWindow } from './window.ts';

export type FileKind = 'ts' | 'vtt';

export const PLAYLIST = 'live.m3u8';
export const SUBTITLE_PLAYLIST = 'live_vtt.m3u8';

const DIGITS = 6;

/** `live000042.ts`, as apps expect it. */
export const segmentName = (number: number, kind: FileKind = 'ts'): string =>
  `live${String(number).padStart(DIGITS, '0')}.${kind}`;

const SEGMENT_NAME = /^live(\d{6,12})\.(ts|vtt)$/;

/** The number in the name of a segment; undefined for every other name. */
export function numberIn(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A media playlist without an end: another programme may follow at any time. */
export function playlistText(window: SegmentWindow, kind: FileKind = 'ts'): string {
  const { segments, gone, targetSeconds } = window;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    `#EXT-X-TARGETDURATION:${targetSeconds}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.number ?? 0}`,
    ...(gone === 0 ? [] : [`#EXT-X-DISCONTINUITY-SEQUENCE:${gone}`]),
    ...(kind === 'ts' ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...segments.flatMap((segment) => segmentLines(segment, kind)),
  ];
  return `${lines.join('\n')}\n`;
}

const segmentLines = (
  { number, seconds, atMs, isDiscontinuous }: ListedSegment,
  kind: FileKind,
): readonly string[] => [
  ...(isDiscontinuous ? ['#EXT-X-DISCONTINUITY'] : []),
  `#EXTINF:${seconds.toFixed(6)},`,
  `#EXT-X-PROGRAM-DATE-TIME:${new Date(atMs).toISOString()}`,
  segmentName(number, kind),
];

type Draft = { seconds: number; atMs: number; isDiscontinuous: boolean };

/** Reads back what `playlistText` has written; whatever else it is given, it does not fail. */
export function readPlaylist(text: string): SegmentWindow {
  const segments: ListedSegment[] = [];
  let draft: Draft = { seconds: 0, atMs: 0, isDiscontinuous: false };
  for (const line of text.split('\n')) {
    const number = numberIn(line);
    if (number === undefined) draft = readTag(line, draft);
    else {
      segments.push({ number, ...draft });
      draft = { seconds: 0, atMs: 0, isDiscontinuous: false };
    }
  }
  return {
    segments,
    gone: tagNumber(text, 'DISCONTINUITY-SEQUENCE') ?? 0,
    targetSeconds: tagNumber(text, 'TARGETDURATION') ?? 1,
  };
}

function readTag(line: string, draft: Draft): Draft {
  if (line === '#EXT-X-DISCONTINUITY') return { ...draft, isDiscontinuous: true };
  if (line.startsWith('#EXTINF:')) {
    return { ...draft, seconds: Number.parseFloat(line.slice('#EXTINF:'.length)) || 0 };
  }
  const time = /^#EXT-X-PROGRAM-DATE-TIME:(.+)$/.exec(line)?.[1];
  return time === undefined ? draft : { ...draft, atMs: Date.parse(time) || 0 };
}

function tagNumber(text: string, tag: string): number | undefined {
  const digits = new RegExp(`^#EXT-X-${tag}:(\\d+)$`, 'm').exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
