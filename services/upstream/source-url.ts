const MAX_URL_LENGTH = 8192;

/**
 * Whether a text can be a source: an http or https URL with a host, without blanks or control
 * characters, at most 8,192 characters. Whether its address may be reached is judged on connecting.
 */
export function isSourceUrl(text: string): boolean {
  if (text.length > MAX_URL_LENGTH || !/^https?:\/\/[^/?#]/i.test(text)) return false;
  // oxlint-disable-next-line no-control-regex -- They would end up in a request head.
  return !/[\u0000-\u0020\u007f]/.test(text) && URL.canParse(text);
}
