const BY_EXTENSION: Readonly<Record<string, string>> = {
  ts: 'video/mp2t',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mkv: 'video/x-matroska',
  webm: 'video/webm',
  avi: 'video/x-msvideo',
  mov: 'video/quicktime',
  mpg: 'video/mpeg',
  mpeg: 'video/mpeg',
  flv: 'video/x-flv',
  wmv: 'video/x-ms-wmv',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  flac: 'audio/flac',
};

const UNKNOWN = 'application/octet-stream';

/**
 * The type to tell players: what the source declares if that is media, else by the extension in
 * the path of its URL.
 */
export function mediaTypeOf(declared: string | undefined, url: string): string {
  const isTelling = declared !== undefined && isMediaType(declared) && isPlain(declared);
  return isTelling ? declared : typeByExtension(url);
}

function typeByExtension(url: string): string {
  const [path = '', query = ''] = url.split('#', 1)[0]?.split(/\?(.*)/s, 2) ?? [];
  if (/(?:^|&)profile=pass$/.test(query)) return 'video/mp2t'; // Tvheadend serves any file as TS.
  const extension = /\.([a-z0-9]{2,4})$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return BY_EXTENSION[extension] ?? UNKNOWN;
}

const isMediaType = (declared: string): boolean =>
  /^(?:video|audio)\/|^application\/(?:mp4|ogg|mxf|x-matroska)\b/i.test(declared) &&
  !isPlaylistType(declared);

/** Fits into a header as it stands. */
const isPlain = (text: string): boolean => /^[\x20-\x7e]+$/.test(text);

/** A playlist where a file was expected. */
export const isPlaylistType = (declared: string | undefined): boolean =>
  /mpegurl/i.test(declared ?? '');

/** An error page, or an answer to a program. Plain text may be a file that a server cannot name. */
export const isTextType = (declared: string | undefined): boolean =>
  /^text\/(?!plain)|^application\/(?:json|xml|xhtml)|\+(?:json|xml)\b/i.test(declared ?? '');

/**
 * Whether a body begins as media does. Error pages come with status 200 and any type; every
 * container format has bytes within the first 64 that no text has.
 */
export function looksLikeMedia(declared: string | undefined, bytes: Buffer): boolean {
  const beginning = bytes.toString('latin1', 0, 64);
  if (MARKUP.test(beginning)) return false;
  return !/^text\//i.test(declared ?? '') || NOT_TEXT.test(beginning);
}

const MARKUP = /^(?:\xEF\xBB\xBF)?\s*(?:<[!?a-z]|\{\s*"|#EXTM3U)/i;
// oxlint-disable-next-line no-control-regex -- Control characters are what tells media from text.
const NOT_TEXT = /[\x00-\x08\x0e-\x1f]/;
