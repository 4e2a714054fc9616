import { UpstreamError } from '#kernel/app-error';
import { headersBeyond } from '#upstream';
import type { ResponseHead } from './response-head.ts';

/** One request of a chain of redirects. */
export type Hop = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where an answer sends us, as it was written; nothing when it is an answer in itself. */
export function locationOf({
  status,
  headers,
}: Pick<ResponseHead, 'status' | 'headers'>): string | undefined {
  const location = REDIRECTS.has(status) ? headers.get('location') : undefined;
  return location === '' ? undefined : location;
}

/**
 * The request that follows a redirect. Secrets of the stream stay with the origin they were
 * meant for.
 * @throws UpstreamError `UPSTREAM_PROTOCOL` when the location leads nowhere.
 */
export function nextHop({ url, headers }: Hop, location: string): Hop {
  const next = resolved(asUrlText(location), url);
  if (!URL.canParse(next)) {
    throw new UpstreamError('UPSTREAM_PROTOCOL', { message: 'The provider redirects to nowhere.' });
  }
  return { url: next, headers: headersBeyond(headers, { from: url, to: next }) };
}

/** A head is read as latin1: each character beyond ASCII stands for one byte as it was sent. */
const asUrlText = (location: string): string =>
  location.replaceAll(
    /[\x80-\xff]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const BASE = /^(https?:)[/\\]*([^/\\?#]*)([^?#]*)/i;

/** Resolves by text where text will do, since the URL parser would write paths anew. */
function resolved(location: string, base: string): string {
  const [, scheme = '', authority = '', path = ''] = BASE.exec(base.trim()) ?? [];
  const origin = `${scheme}//${authority}`;
  const folder = path.slice(0, path.lastIndexOf('/') + 1) || '/';
  const forms: readonly (readonly [RegExp, () => string])[] = [
    [/^[a-z][a-z0-9+.-]*:/i, () => location],
    [/^\/\//, () => `${scheme}${location}`],
    [/^\//, () => `${origin}${location}`],
    [/^[?#]/, () => `${origin}${path}${location}`],
    [/^\.{1,2}(?:$|[/?#])/, () => new URL(location, base).href],
  ];
  const write = forms.find(([form]) => form.test(location))?.[1];
  return write === undefined ? `${origin}${folder}${location}` : write();
}
