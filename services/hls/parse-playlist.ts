import HLS from 'hls-parser';
import { linesOf } from './lines.ts';
import { tagOf, valueOf } from './tag-line.ts';

/** What we want to know of a playlist besides its text. */
export type PlaylistFacts = {
  readonly shape: 'media' | 'multivariant';
  /** `undefined` where the text does not say. */
  readonly targetDurationMs: number | undefined;
  /** `EXT-X-ENDLIST` has been seen: nothing will be added. */
  readonly isEnded: boolean;
};

const MULTIVARIANT: PlaylistFacts = {
  shape: 'multivariant',
  targetDurationMs: undefined,
  isEnded: false,
};

/** Beyond this hls-parser is not asked: it would hold up every viewer for milliseconds. */
const PARSER_LIMIT_CHARS = 16 * 1024;

/**
 * Describes a playlist. Never throws: hls-parser is asked first, and where it gives up (titles
 * that are not ASCII, mixed lists), sees nothing (lines that end in CR alone) or would take long, a
 * scan of our own answers.
 */
export function parsePlaylist(text: string): PlaylistFacts {
  if (text.length > PARSER_LIMIT_CHARS) return scan(text);
  try {
    return observe(text) ?? scan(text);
  } catch {
    // What the library cannot read may still play: delivery never depends on it.
    return scan(text);
  }
}

function observe(text: string): PlaylistFacts | undefined {
  // The options are global to the library; silent, or it writes to the console.
  HLS.setOptions({ strictMode: false, silent: true });
  const playlist = HLS.parse(text);
  if (playlist.isMasterPlaylist) return MULTIVARIANT;
  const { targetDuration, endlist } = playlist;
  const targetDurationMs = toMs(targetDuration);
  if (targetDurationMs === undefined) return undefined;
  return { shape: 'media', targetDurationMs, isEnded: endlist };
}

const toMs = (seconds: number): number | undefined => (seconds > 0 ? seconds * 1000 : undefined);

function scan(text: string): PlaylistFacts {
  let targetDurationMs: number | undefined;
  let isEnded = false;
  for (const { start, end } of linesOf(text)) {
    const line = text.slice(start, end);
    const tag = tagOf(line);
    if (tag === 'EXT-X-STREAM-INF') return MULTIVARIANT;
    if (tag === 'EXT-X-TARGETDURATION') targetDurationMs = toMs(Number(valueOf(line)));
    else if (tag === 'EXT-X-ENDLIST') isEnded = true;
  }
  return { shape: 'media', targetDurationMs, isEnded };
}
