/** How a playlist's bytes were turned into text; the same way turns the text back into them. */
export type TextEncoding = 'utf8' | 'latin1';

/**
 * The absolute URL that a playlist means, or `undefined` when it is not for us: another scheme
 * than http and https (`skd:`, `data:`, …), or no URL at all.
 *
 * @param written - As it stands in the playlist, variables already substituted.
 * @param baseUrl - Where the playlist came from, after redirects.
 */
export function resolveReference(
  written: string,
  baseUrl: string,
  encoding: TextEncoding = 'utf8',
): string | undefined {
  const text = encoding === 'latin1' ? escapeBytes(written.trim()) : written.trim();
  if (text === '') return undefined;
  const url = URL.parse(text, baseUrl);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url.href : undefined;
}

/** Bytes that were no UTF-8 reach the provider as the same bytes. */
const escapeBytes = (text: string): string =>
  text.replace(
    /[\u0080-\u00FF]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
