import { MediaError } from '#kernel/app-error';
import { linesOf } from './lines.ts';
import { attributesOf, tagOf } from './tag-line.ts';

/** Tags that only low-latency players use. */
const LOW_LATENCY = new Set([
  'EXT-X-PART-INF',
  'EXT-X-PART',
  'EXT-X-PRELOAD-HINT',
  'EXT-X-RENDITION-REPORT',
  'EXT-X-PREFETCH',
  'EXT-X-PREFETCH-DISCONTINUITY',
]);

/** What `EXT-X-SERVER-CONTROL` says to all players, low-latency or not. */
const OF_ALL_PLAYERS = 'HOLD-BACK';

/**
 * The playlist without anything of low latency: what players get that reload it by the clock.
 *
 * Whole lines go (`EXT-X-PART`, `EXT-X-PART-INF`, `EXT-X-PRELOAD-HINT`, `EXT-X-RENDITION-REPORT`,
 * `EXT-X-PREFETCH`), and of `EXT-X-SERVER-CONTROL` all but `HOLD-BACK`; it then plays at that
 * distance, or at three target durations. All else is returned byte for byte. Linear in the length
 * of the text. A multivariant playlist comes back as it is.
 *
 * @param text - A full playlist: ask the source for it without `_HLS_skip`.
 * @throws {@link MediaError} `PLAYLIST_MALFORMED` for a delta update: keys and init sections of
 *   what it lists may be in what it leaves out.
 */
export function withoutLowLatency(text: string): string {
  let plain = '';
  let copiedTo = 0;
  for (const { start, end, next } of linesOf(text)) {
    const line = text.slice(start, end);
    const tag = tagOf(line);
    if (tag === 'EXT-X-SKIP') throw isDelta();
    const kept = tag === undefined ? line : plainLine(tag, line);
    if (kept === line) continue;
    plain += text.slice(copiedTo, start) + (kept === undefined ? '' : kept + text.slice(end, next));
    copiedTo = next;
  }
  return plain + text.slice(copiedTo);
}

/** What is left of one tag line without low latency; `undefined`: nothing, not even a line. */
export function plainLine(tag: string, line: string): string | undefined {
  if (LOW_LATENCY.has(tag)) return undefined;
  if (tag !== 'EXT-X-SERVER-CONTROL') return line;
  const attributes = attributesOf(line);
  if (attributes.every(({ name }) => name === OF_ALL_PLAYERS)) return line;
  const kept = attributes.find(({ name }) => name === OF_ALL_PLAYERS);
  return kept && `#${tag}:${OF_ALL_PLAYERS}=${kept.value}`;
}

const isDelta = (): MediaError =>
  new MediaError('PLAYLIST_MALFORMED', {
    message: 'The source sent a part of the playlist where the whole was asked for.',
  });
