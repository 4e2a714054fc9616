import { syncOffset } from '#mpegts';
import type { PackedFormat } from './ports.ts';

/**
 * Enough to tell: an ID3 tag of the usual size with the first frame behind it, or two packets, of
 * which the first may begin behind a few bytes of something else.
 */
export const HEAD_BYTES = 376;

export type MediaHead = {
  readonly format: PackedFormat;
  /** What a tag in front of packed audio says of its time (RFC 8216 §3.4), in milliseconds. */
  readonly startsAtMs: number | undefined;
};

/**
 * Tells by the first bytes how media is packed; `undefined` for a page, a text, and what is none of
 * the formats of HLS, as a segment that was decrypted with another key than its own.
 */
export function readHead(head: Buffer): MediaHead | undefined {
  const tag = id3BytesOf(head);
  const media = head.subarray(tag);
  const startsAtMs = tag === 0 ? undefined : timeInTag(head.subarray(0, tag));
  const format = audioFormatOf(media) ?? boxFormatOf(media);
  if (format !== undefined) return { format, startsAtMs };
  if (tag > 0) return { format: 'aac', startsAtMs };
  return mayBeTransportStream(head) ? { format: 'mpegts', startsAtMs: undefined } : undefined;
}

/** What is too short to have packets in it may be the beginning of one. */
const mayBeTransportStream = (head: Buffer): boolean =>
  syncOffset(head) !== undefined ||
  (head.length < HEAD_BYTES && !/^\s*[<#{]/.test(head.toString('latin1', 0, 64)));

function boxFormatOf(head: Buffer): PackedFormat | undefined {
  const text = head.toString('latin1', 0, 8);
  if (/^.{4}(?:ftyp|styp|moof|moov|sidx|emsg|prft)/s.test(text)) return 'mp4';
  if (text.startsWith('\u001aE\u00df\u00a3')) return 'matroska';
  return text.startsWith('FLV\u0001') ? 'flv' : undefined;
}

/** Sync words: ADTS has layer 0 (ISO/IEC 13818-7 §6.2), MPEG audio another (11172-3 §2.4.1.3). */
function audioFormatOf(head: Buffer): PackedFormat | undefined {
  if (head.length < 2) return undefined;
  const word = head.readUInt16BE(0);
  if ((word & 0xfff6) === 0xfff0) return 'aac';
  if ((word & 0xffe0) === 0xffe0) return 'mp3';
  return word === 0x0b77 ? 'ac3' : undefined;
}

const ID3_HEAD_BYTES = 10;

/** The whole tag's size; 0: there is none. Its size has seven bits in each byte. */
function id3BytesOf(head: Buffer): number {
  if (head.length < ID3_HEAD_BYTES || head.toString('latin1', 0, 3) !== 'ID3') return 0;
  const size = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  return ID3_HEAD_BYTES + size;
}

const TIME_OWNER = 'com.apple.streaming.transportStreamTimestamp\0';

/** 90 kHz in 33 bits of 64, behind the owner's name. */
function timeInTag(tag: Buffer): number | undefined {
  const at = tag.indexOf(TIME_OWNER, 0, 'latin1');
  const from = at + TIME_OWNER.length;
  if (at === -1 || from + 8 > tag.length) return undefined;
  return Number(tag.readBigUInt64BE(from) % 2n ** 33n) / 90;
}
