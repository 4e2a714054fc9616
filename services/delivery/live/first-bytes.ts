import { isPlaylist } from '#hls';
import { syncOffset } from '#mpegts';
import type { MediaKind } from '#streams';

/** What the first bytes of an answer prove it to be. */
export type Verdict =
  { readonly kind: MediaKind; readonly contentType: string } | { readonly kind: 'not-media' };

const TRANSPORT_STREAM = 'video/mp2t';
const FILE_TYPE = /^video\/(?:mp4|x-matroska|webm|x-msvideo|quicktime|avi)\b/i;
const PLAYLIST_TYPE = /mpegurl/i;
const TEXT_TYPE = /^text\/|[/+](?:json|xml|html)\b/i;
const MEDIA_TYPE = /^(?:video|audio)\//i;

/**
 * Judges an answer by its bytes first and by its declared type second, since providers lie about
 * types: an error page comes with status 200, a transport stream as text or as nothing.
 *
 * @param contentType - As the source declares it.
 * @param isSized - The source says how long the body is and serves parts of it.
 * @param bytes - The first bytes of the body, at least one.
 */
export function judgeFirstBytes(
  contentType: string | undefined,
  isSized: boolean,
  bytes: Buffer,
): Verdict {
  const declared = contentType ?? '';
  if (syncOffset(bytes) !== undefined) return { kind: 'live', contentType: TRANSPORT_STREAM };
  if (isPlaylist(headText(bytes))) return { kind: 'hls', contentType: declared };
  if (PLAYLIST_TYPE.test(declared) || TEXT_TYPE.test(declared) || looksLikeMarkup(bytes)) {
    return { kind: 'not-media' };
  }
  if (isSized && FILE_TYPE.test(declared)) return { kind: 'vod', contentType: declared };
  return { kind: 'live', contentType: MEDIA_TYPE.test(declared) ? declared : TRANSPORT_STREAM };
}

/** No container format begins with a tag or a brace. */
const looksLikeMarkup = (bytes: Buffer): boolean => /^\s*(?:<|\{")/.test(headText(bytes));

const headText = (bytes: Buffer): string => bytes.subarray(0, 64).toString('utf8');
