import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib';

/** How a body begins: what it must have before it can be judged, unless it ends. */
export const HEAD_BYTES = 16;

/** Tags may stand behind the headers of a part, or behind a long comment. */
const LOOKED_AT_BYTES = 4096;
/** The little that is looked at could still unfold to gigabytes. */
const MAX_UNFOLDED_BYTES = 1024 * 1024;

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes, PARTIAL),
  'x-gzip': (bytes) => gunzipSync(bytes, PARTIAL),
  deflate: (bytes) => inflateSync(bytes, PARTIAL),
  br: (bytes) =>
    brotliDecompressSync(bytes, {
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
      maxOutputLength: MAX_UNFOLDED_BYTES,
    }),
};

const PARTIAL = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_UNFOLDED_BYTES };

/** The first bytes of a body as they are without `content-encoding`; as they come if unknown. */
export function plainHead(head: Buffer, encoding: string | undefined): Buffer {
  const decode = DECODERS[encoding?.trim().toLowerCase() ?? ''];
  if (!decode) return head.subarray(0, LOOKED_AT_BYTES);
  try {
    return decode(head.subarray(0, LOOKED_AT_BYTES)).subarray(0, LOOKED_AT_BYTES);
  } catch {
    return head.subarray(0, LOOKED_AT_BYTES); // Not what it says it is: then it is no text either.
  }
}

/** A tag at the beginning of a line, or the rest of one that the range cuts. */
const WITHIN_PLAYLIST = /(?:^|[\r\n])#EXT(?:M3U|INF:|-X-)|^E?X?T?(?:M3U[\r\n]|INF:\d|-X-[A-Z]+:)/;

/** Media is binary; only captions are text, and they are called so. */
const TEXT = /^[\t\r\n\u0020-\u007E\u0080-\u00FF]+$/;
/** So much media has a control character in it. */
const TELLING_BYTES = 256;
const MEDIA_TYPE = /^(?:video|audio)\/|^text\/vtt/i;

/** Whether a body that begins so is a playlist. */
export const looksLikePlaylist = (head: Buffer): boolean =>
  /^(?:\u00EF\u00BB\u00BF)?\s*#EXTM3U/.test(head.toString('latin1'));

/**
 * Whether bytes from the middle of a resource may be of a playlist: a player can ask for any range,
 * and no line of a playlist may show. In doubt, text is none of media.
 */
export function mayBeOfPlaylist(head: Buffer, contentType: string | undefined): boolean {
  const text = head.toString('latin1');
  if (WITHIN_PLAYLIST.test(text)) return true;
  if (MEDIA_TYPE.test(contentType ?? '') || !TEXT.test(text)) return false;
  return head.length >= TELLING_BYTES || isCutText(head);
}

/** A few bytes of media may have no control character by chance; hardly are they UTF-8 too. */
function isCutText(head: Buffer): boolean {
  const start = head.subarray(0, 4).findIndex((byte) => (byte & 0xc0) !== 0x80);
  const whole = head.subarray(Math.max(0, start));
  const isCutAt = (end: number): boolean =>
    whole.subarray(end).every((byte) => byte >= 0x80) && isUtf8(whole.subarray(0, end));
  return [0, 1, 2, 3].some((cut) => cut < whole.length && isCutAt(whole.length - cut));
}
