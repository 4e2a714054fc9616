import type { ResourceKind } from '#hls';

/** Types that a browser shows or plays, and never runs. */
const HARMLESS_TYPE =
  /^(?:video\/|audio\/|image\/(?!svg)|text\/(?:vtt|plain)|multipart\/byteranges|application\/(?:octet-stream|mp4|json|ttml\+xml))/i;

/** Types that say what the bytes are; the others are what servers say of anything. */
const MEDIA_TYPE = /^(?:video\/|audio\/|text\/vtt|application\/(?:mp4|ttml\+xml))/i;

/** DASH calls all fragments so; players of playlists do not know it. */
const ANY_FRAGMENT = /^video\/iso\.segment/i;

/** By the ending of the upstream path: segments whose server does not say what they are. */
const TYPE_OF_ENDING: Readonly<Record<string, string>> = {
  ts: 'video/mp2t',
  m4s: 'video/mp4',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  m4a: 'audio/mp4',
  cmfv: 'video/mp4',
  cmfa: 'audio/mp4',
  aac: 'audio/aac',
  mp3: 'audio/mpeg',
  ac3: 'audio/ac3',
  vtt: 'text/vtt',
  webvtt: 'text/vtt',
};

const DEFAULT_TYPE: Readonly<Record<ResourceKind, string>> = {
  segment: 'video/mp2t',
  map: 'video/mp4',
  key: 'application/octet-stream',
  data: 'application/octet-stream',
  playlist: 'application/vnd.apple.mpegurl',
  'asset-list': 'application/json',
  steering: 'application/json',
  pathway: 'application/octet-stream',
  folder: 'application/octet-stream',
};

export type TypedResource = {
  readonly kind: ResourceKind;
  readonly url: string;
  /** What its source said. */
  readonly said: string | undefined;
  /** Its first bytes, as far as they are known. */
  readonly first: Buffer;
};

/**
 * What a viewer is told that a resource is. The source's word counts where it says something, its
 * bytes where it says nothing or says what they are not, and its name where both are silent.
 */
export function typeOf({ kind, url, said, first }: TypedResource): string {
  const seen = kind === 'segment' || kind === 'map' ? typeOfBytes(first) : undefined;
  const word = wordOf(said);
  if (MEDIA_TYPE.test(word) && !contradicts(word, seen)) return word;
  const byEnding = kind === 'segment' ? TYPE_OF_ENDING[endingOf(url)] : undefined;
  return seen ?? byEnding ?? (HARMLESS_TYPE.test(word) ? word : DEFAULT_TYPE[kind]);
}

const wordOf = (said = ''): string => (ANY_FRAGMENT.test(said) ? '' : said);

const TS_PACKET_BYTES = 188;
const SYNC = 0x47;
const BOXES = new Set(['ftyp', 'styp', 'moof', 'sidx', 'emsg', 'prft', 'moov']);

/** The type that the first bytes of a segment prove, if they prove any. */
export function typeOfBytes(first: Buffer): string | undefined {
  if (isTransportStream(first)) return 'video/mp2t';
  if (BOXES.has(first.toString('latin1', 4, 8))) return 'video/mp4';
  const text = first.toString('latin1', 0, 9);
  if (text.startsWith('WEBVTT') || text.startsWith('\xEF\xBB\xBFWEBVTT')) return 'text/vtt';
  return text.startsWith('ID3') ? typeOfTagged(first) : typeOfFrame(first);
}

function isTransportStream(first: Buffer): boolean {
  if (first.length < TS_PACKET_BYTES || first[0] !== SYNC) return false;
  for (let at = 0; at < first.length; at += TS_PACKET_BYTES) if (first[at] !== SYNC) return false;
  return true;
}

/** Packed audio begins with an ID3 tag (RFC 8216 §3.4); what follows it tells. */
function typeOfTagged(first: Buffer): string {
  const [a = 0, b = 0, c = 0, d = 0] = first.subarray(6, 10);
  const end = 10 + ((a << 21) | (b << 14) | (c << 7) | d);
  return typeOfFrame(first.subarray(end)) ?? 'audio/aac';
}

function typeOfFrame(first: Buffer): string | undefined {
  const [one = 0, two = 0] = first;
  if (one === 0x0b && two === 0x77) return 'audio/ac3';
  if (one !== 0xff || (two & 0xe0) !== 0xe0) return undefined;
  // The layer bits are 0 in ADTS, and never in MPEG audio (ISO/IEC 13818-7 and 11172-3).
  if ((two & 0xf6) === 0xf0) return 'audio/aac';
  return (two & 0x06) === 0 ? undefined : 'audio/mpeg';
}

/** Containers cannot be mistaken for each other; names within one may differ. */
function contradicts(said: string, seen: string | undefined): boolean {
  if (seen === 'video/mp2t') return !/mp2t|mpeg|mpg|ts$/i.test(said);
  if (seen === 'video/mp4') return /mp2t/i.test(said);
  return false;
}

const endingOf = (url: string): string =>
  /\.([a-z0-9]+)$/i.exec(URL.parse(url)?.pathname ?? '')?.[1]?.toLowerCase() ?? '';

/** Types of error pages; also what servers say of media when nobody told them better. */
export const isPageType = (type: string | undefined): boolean =>
  /^(?:text\/html|application\/xhtml\+xml|text\/xml|application\/xml)/i.test(type ?? '');

/** Whether the first bytes of a body are those of a page. */
export const looksLikePage = (head: Buffer): boolean =>
  /^(?:\xEF\xBB\xBF)?\s*<(?:!|\?xml|html|head|body)/i.test(head.toString('latin1', 0, 256));

/** Whether they are those of a page whatever it is called: captions in XML are none. */
export const looksLikeHtml = (head: Buffer): boolean =>
  /^(?:\xEF\xBB\xBF)?\s*<(?:!doctype\s+html|html|head|body)\b/i.test(
    head.toString('latin1', 0, 256),
  );
