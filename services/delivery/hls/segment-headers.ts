import type { ResourceKind } from '#hls';
import type { UpstreamResponse } from '#upstream';

/** Headers that describe the bytes and hold for them here as there. */
const PASSED_ON = [
  'content-length',
  'content-range',
  'content-encoding',
  'accept-ranges',
  'etag',
  'last-modified',
] as const;

/** Types that a browser shows or plays, and never runs. */
const HARMLESS_TYPE =
  /^(?:video\/|audio\/|image\/(?!svg)|text\/(?:vtt|plain)|multipart\/byteranges|application\/(?:octet-stream|mp4|json|ttml\+xml))/i;

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
};

/**
 * What a viewer is told about a resource. The upstream's word is passed on where it describes
 * bytes; its type only where no browser could take it for a page of ours. Keys are never stored.
 */
export function segmentHeaders(
  response: Pick<UpstreamResponse, 'headers'>,
  { kind, url }: { readonly kind: ResourceKind; readonly url: string },
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': typeFor(response.headers.get('content-type'), kind, url),
    'cache-control': kind === 'key' ? 'no-store' : 'no-cache',
  };
  for (const name of PASSED_ON) {
    const value = response.headers.get(name);
    if (value !== undefined && isSendable(name, value)) headers[name] = value;
  }
  return headers;
}

/** A header that Node would refuse to send must not cost the viewer the segment. */
const isSendable = (name: string, value: string): boolean =>
  name === 'content-length' ? /^\d+$/.test(value) : /^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value);

function typeFor(said: string | undefined, kind: ResourceKind, url: string): string {
  if (said !== undefined && HARMLESS_TYPE.test(said)) return said;
  return (kind === 'segment' ? TYPE_OF_ENDING[endingOf(url)] : undefined) ?? DEFAULT_TYPE[kind];
}

const endingOf = (url: string): string =>
  /\.([a-z0-9]+)$/i.exec(URL.parse(url)?.pathname ?? '')?.[1]?.toLowerCase() ?? '';

/** Types of error pages; also what servers say of media when nobody told them better. */
export const isPageType = (type: string | undefined): boolean =>
  /^(?:text\/html|application\/xhtml\+xml|text\/xml|application\/xml)/i.test(type ?? '');

/** Whether the first bytes of a body are those of a page. */
export const looksLikePage = (head: Buffer): boolean =>
  /^(?:\xEF\xBB\xBF)?\s*<(?:!|\?xml|html|head|body)/i.test(head.toString('latin1', 0, 256));

/** What goes with an error of the source: when to come back, and nothing of its page. */
export function refusalHeaders({
  headers,
}: Pick<UpstreamResponse, 'headers'>): Record<string, string> {
  const retryAfter = headers.get('retry-after');
  const contentRange = headers.get('content-range');
  return {
    'content-length': '0',
    'cache-control': 'no-cache',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...(contentRange === undefined ? {} : { 'content-range': contentRange }),
  };
}
