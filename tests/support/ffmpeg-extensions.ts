/** What FFmpeg reads over HLS, by default: `allowed_extensions` of 8.0, those that matter here. */
const ALLOWED =
  'aac ac3 eac3 flac m3u8 m4a m4s m4v mov mp2 mp3 mp4 mpeg mpegts ts vtt wav webvtt'.split(' ');

/** Also for boxes and AAC: YouTube names them so. */
const TS = 'ts m2t m2ts mts mpg m4s mpeg mpegts'.split(' ');

const OF_FORMAT: Readonly<Record<string, readonly string[]>> = {
  mpegts: TS,
  mp4: ['mov', 'mp4', 'm4a', 'm4s', ...TS],
  aac: ['aac', ...TS],
  webvtt: ['vtt', 'webvtt'],
  mp3: ['mp2', 'mp3', 'm2a', 'mpa'],
  ac3: ['ac3'],
  eac3: ['eac3', 'ec3'],
};

/**
 * Whether FFmpeg from 7.1.1 on takes a segment of such a format (`extension_picky`): one extension,
 * that of the path or what follows the last dot of the whole URL, has to be allowed and to fit.
 */
export function isTakenByFfmpeg(url: string, format: string): boolean {
  return extensionsOf(url).some(
    (extension) => ALLOWED.includes(extension) && (OF_FORMAT[format] ?? []).includes(extension),
  );
}

/**
 * Whether FFmpeg may read what a playlist leads to beside segments: keys, and what stands in front of
 * boxes. Over HTTP it asks for no more than that; from files, for an extension that is allowed.
 */
export const mayBeReadByFfmpeg = (url: string): boolean =>
  /^https?:/.test(url) && extensionsOf(url).some((extension) => ALLOWED.includes(extension));

/** By which FFmpeg knows a playlist, one that names it or the player; those of RFC 8216 §4. */
const LIST_TYPES = ['application/vnd.apple.mpegurl', 'audio/mpegurl'];

/**
 * Whether FFmpeg from 7.1.1 on takes a playlist for one. Either its type or its name would do: what
 * is kept as a file has no type, and what is proxied again may have another.
 */
export const isListForFfmpeg = (url: string, type: string | null): boolean =>
  LIST_TYPES.includes(type?.split(';', 1)[0]?.toLowerCase() ?? '') &&
  extensionsOf(url).some((extension) => ['m3u8', 'm3u'].includes(extension));

/** Of the path, and what follows the last dot of the whole. */
const extensionsOf = (url: string): readonly string[] => [
  /\.(\w+)$/.exec(new URL(url).pathname)?.[1] ?? '',
  url.slice(url.lastIndexOf('.') + 1),
];
