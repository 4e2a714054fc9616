/**
 * A URL as text that is safe to log: scheme, host and port. Providers put credentials in the
 * user part, in path segments (`/live/user/password/1.ts`) and in the query, so none is shown.
 */
export function redactUrl(url: string): string {
  if (!URL.canParse(url)) return '(no url)';
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}/…`;
}

/** `file:` is left alone: stack traces name our own modules so. */
const URL_IN_TEXT = /\b(?!file:)[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi;

/** Any text with the URLs in it redacted: the last net before a log line. */
export const redactText = (text: string): string =>
  text.replace(URL_IN_TEXT, (url) => redactUrl(url));
