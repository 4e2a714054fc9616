/** Formats that one decoder reads; what stands behind the first dot is profile and level. */
const FAMILIES: readonly (readonly [family: string, is: RegExp])[] = [
  ['avc', /^avc/i],
  ['hevc', /^(?:hvc|hev|dvh)/i],
  ['av1', /^(?:av01|dav1)/i],
  ['vp9', /^vp0?9/i],
  ['mpeg', /^(?:mp4v|mp2v)/i],
];

/** The formats of pictures that a `CODECS` attribute names. */
export function pictureFormats(codecs: string): readonly string[] {
  return words(codecs).flatMap((word) => FAMILIES.find(([, is]) => is.test(word))?.[0] ?? []);
}

/** The formats of sound and text that it names: `mp4a`, `ac-3`. */
export const otherFormats = (codecs: string): readonly string[] =>
  words(codecs)
    .filter((word) => !FAMILIES.some(([, is]) => is.test(word)))
    .map((word) => word.toLowerCase().replace(/\..*/, ''));

/** A variant that says neither has pictures: those of sound alone say so. */
export const hasPictures = (resolution: string | undefined, codecs: string | undefined): boolean =>
  resolution !== undefined || codecs === undefined || pictureFormats(codecs).length > 0;

const words = (codecs: string): readonly string[] =>
  codecs
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
