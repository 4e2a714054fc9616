const BOM = /^(?:\uFEFF|\u00EF\u00BB\u00BF)/;
const SIGNATURE = '#EXTM3U';

/** The tags without which a text is a list of channels or nothing, but not HLS. */
const HLS_TAG = /^#EXT-X-(?:STREAM-INF|TARGETDURATION|MEDIA-SEQUENCE)\b/m;

/** The text without a byte order mark, whether it was decoded as UTF-8 or byte by byte. */
export const withoutBom = (text: string): string => text.replace(BOM, '');

/** Whether a text opens as RFC 8216 §4.3.1.1 asks: `#EXTM3U` first, after at most a BOM. */
export function isPlaylist(text: string): boolean {
  const plain = withoutBom(text);
  return plain.startsWith(SIGNATURE) && /^(?:\s|$)/.test(plain.slice(SIGNATURE.length, 8));
}

/** Whether a playlist is HLS, and not a list of channels that opens with the same line. */
export const isHls = (text: string): boolean => isPlaylist(text) && HLS_TAG.test(text);

/**
 * Whether the first characters of a body show media, not text: the sync bytes of MPEG-TS or a
 * box of ISO BMFF. The text must have been decoded byte by byte.
 */
export function looksLikeMedia(head: string): boolean {
  const isTs = head[0] === 'G' && head[188] === 'G';
  return isTs || /^.{4}(?:ftyp|styp|moof|sidx)/s.test(head);
}
