/** What FFmpeg reads over HLS, by default: `allowed_extensions` of 8.0, those that matter here. */
const ALLOWED = 'aac ac3 eac3 flac m4a m4s m4v mov mp2 mp3 mp4 mpeg mpegts ts vtt wav webvtt'.split(
  ' ',
);

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
  const ofPath = /\.(\w+)$/.exec(new URL(url).pathname)?.[1] ?? '';
  const atEnd = url.slice(url.lastIndexOf('.') + 1);
  const fits = (extension: string): boolean =>
    ALLOWED.includes(extension) && (OF_FORMAT[format] ?? []).includes(extension);
  return fits(ofPath) || fits(atEnd);
}
