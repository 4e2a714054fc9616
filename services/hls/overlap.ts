import { linesOf } from './lines.ts';
import { isUriLine, windowOf } from './playlist-window.ts';
import { splicePlaylist } from './splice-playlist.ts';
import { tagOf, valueOf } from './tag-line.ts';

/**
 * Leaves the last `count` segments of a media playlist, fewer where a discontinuity stands before
 * one of them, with the init section and the date that were in force.
 *
 * @returns `undefined` where what is left could not stand in front of another source's segments:
 *   ranges that go on from the one before, definitions, an end; and keys, which are kept nowhere:
 *   who has just come could not have them from a source that is gone, and would stop there.
 */
export function lastSegmentsOf(
  text: string,
  count: number,
): { readonly text: string; readonly count: number } | undefined {
  const window = windowOf(text);
  if (!window?.isTrimmable || hasWhatCannotStandInFront(text)) return undefined;
  const { segmentCount, discontinuities, firstSequence } = window;
  const hide = Math.max(segmentCount - count, (discontinuities.at(-1) ?? -1) + 1);
  if (hide >= segmentCount) return undefined;
  const cut = splicePlaylist(text, {
    hide,
    offset: 0,
    firstSequence: firstSequence + hide,
    discontinuitySequence: 0,
    marksDiscontinuity: false,
  });
  return { text: cut, count: segmentCount - hide };
}

function hasWhatCannotStandInFront(text: string): boolean {
  const isBound = /^#EXT-X-(?:DEFINE|ENDLIST)\b/m.test(text);
  return isBound || tagsOf(text, 'EXT-X-KEY').some((line) => !line.includes('METHOD=NONE'));
}

/** A media playlist, and itself in pieces, cut behind each local URL. */
export type InPieces = { readonly text: string; readonly pieces: readonly string[] };

/**
 * Puts segments in front of those of a playlist of another source. Lines that speak of the whole
 * playlist are the later one's, but for what the earlier segments need: a target duration and a
 * version that are high enough, and numbers that begin with them. Their init section would be in
 * force beyond them: nothing is put in front where the later has none of its own.
 *
 * @param earlier - As {@link lastSegmentsOf} has left it.
 * @param count - How many segments that is.
 */
export function inFront(earlier: InPieces, count: number, later: InPieces): readonly string[] {
  const front = halvesOf(earlier);
  const head = halvesOf(later);
  if (!front || !head || lacksMap(earlier.text, later.text)) return later.pieces;
  const lineEnd = later.text.includes('\r\n') ? '\r\n' : '\n';
  const header = headerOf(head.header, { earlier: front.header, count, lineEnd });
  const before = [header + front.rest, ...earlier.pieces.slice(1)];
  const last = before.pop() ?? '';
  const seam = last + (last.endsWith('\n') ? '' : lineEnd) + head.rest;
  return [...before, seam, ...later.pieces.slice(1)];
}

/** The first piece, cut where the header ends; nothing where that cannot be told. */
function halvesOf({
  pieces: [first = ''],
}: InPieces): { readonly header: string; readonly rest: string } | undefined {
  const at = endOfHeader(first);
  return at === undefined ? undefined : { header: first.slice(0, at), rest: first.slice(at) };
}

/** Tags that speak of the whole playlist. */
const OF_ALL = new Set([
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-START',
  'EXT-X-ALLOW-CACHE',
  'EXT-X-SERVER-CONTROL',
]);

/** Tags that are in force for the segments behind them. */
const OF_SEGMENTS = /^EXT(?:INF|-X-(?:KEY|MAP|DISCONTINUITY|PROGRAM-DATE-TIME|BITRATE|DATERANGE))$/;

/** Where the lines end that speak of all; `undefined` where one stands among the segments' own. */
function endOfHeader(text: string): number | undefined {
  let at = 0;
  let isBehind = false;
  for (const { start, end, next } of linesOf(text)) {
    const line = text.slice(start, end);
    const tag = tagOf(line) ?? '';
    if (OF_ALL.has(tag)) {
      if (isBehind) return undefined;
      at = next;
    } else if (OF_SEGMENTS.test(tag)) isBehind = true;
    if (tag === 'EXTINF' || (tag === '' && isUriLine(line))) break;
  }
  return at;
}

function headerOf(
  header: string,
  { earlier, count, lineEnd }: { earlier: string; count: number; lineEnd: string },
): string {
  // It may be larger than sums of numbers are exact.
  const numbered = header.replace(
    /^(#EXT-X-MEDIA-SEQUENCE:)(\d+)/m,
    (_, name: string, first: string) => `${name}${BigInt(first) - BigInt(count)}`,
  );
  const long = withNumber(numbered, 'EXT-X-TARGETDURATION', (seconds) =>
    Math.max(seconds, numberIn(earlier, 'EXT-X-TARGETDURATION')),
  );
  const version = numberIn(earlier, 'EXT-X-VERSION');
  if (numberIn(long, 'EXT-X-VERSION') >= version) return long;
  const raised = withNumber(long, 'EXT-X-VERSION', () => version);
  if (raised !== long) return raised;
  return long.replace(/^#EXTM3U.*\r?\n/, `$&#EXT-X-VERSION:${version}${lineEnd}`);
}

const numberIn = (text: string, tag: string): number => {
  const [line] = tagsOf(text, tag);
  return line === undefined ? 0 : Number(valueOf(line)) || 0;
};

const withNumber = (text: string, tag: string, change: (value: number) => number): string =>
  text.replace(new RegExp(`^(#${tag}:)(\\d+)`, 'm'), (_, name: string, value: string) => {
    return `${name}${change(Number(value))}`;
  });

const tagsOf = (text: string, tag: string): readonly string[] =>
  [...linesOf(text)]
    .map(({ start, end }) => text.slice(start, end))
    .filter((line) => tagOf(line) === tag);

/** Whether the init section of one would be taken for that of the other's first segment. */
function lacksMap(earlier: string, later: string): boolean {
  if (tagsOf(earlier, 'EXT-X-MAP').length === 0) return false;
  for (const { start, end } of linesOf(later)) {
    const line = later.slice(start, end);
    if (tagOf(line) === 'EXT-X-MAP') return false;
    if (isUriLine(line)) return true;
  }
  return false;
}
