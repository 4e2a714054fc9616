import type { ResourceKind } from '#hls';
import type { FetchHead, RangeAnswer } from '#segments';
import type { UpstreamResponse } from '#upstream';
import { typeOf } from './resource-type.ts';

/** Headers that describe the bytes and hold for them here as there. */
const PASSED_ON = ['content-encoding', 'etag', 'last-modified'] as const;

export type DescribedResource = {
  readonly kind: ResourceKind;
  readonly url: string;
  /** It is listed by a playlist that has ended: it will be the same tomorrow. */
  readonly isFilm: boolean;
  readonly targetDurationMs: number;
};

/**
 * What a viewer is told about a resource. The source's word is passed on where it describes
 * bytes; its type only where no browser could take it for a page of ours. Keys are never stored.
 */
export function segmentHeaders(
  head: Pick<FetchHead, 'headers' | 'first'>,
  resource: DescribedResource,
  { lengthBytes, contentRange }: Pick<RangeAnswer, 'lengthBytes' | 'contentRange'>,
): Record<string, string> {
  const said = head.headers.get('content-type');
  const headers: Record<string, string> = {
    'content-type': typeOf({ ...resource, said, first: head.first }),
    'cache-control': lifeOf(resource),
    'accept-ranges': 'bytes',
  };
  if (lengthBytes !== undefined) headers['content-length'] = String(lengthBytes);
  if (contentRange !== undefined && isSendable(contentRange))
    headers['content-range'] = contentRange;
  for (const name of PASSED_ON) {
    const value = head.headers.get(name);
    if (value !== undefined && isSendable(value)) headers[name] = value;
  }
  return headers;
}

const FILM_SECONDS = 3600;
const MAX_LIVE_SECONDS = 30;

/** How long a viewer's own cache may keep it: links differ from viewer to viewer. */
function lifeOf({ kind, isFilm, targetDurationMs }: DescribedResource): string {
  if (kind === 'key') return 'no-store';
  if (kind === 'data' || kind === 'playlist') return 'no-cache';
  if (isFilm) return `private, max-age=${FILM_SECONDS}`;
  const seconds = Math.max(1, Math.min(MAX_LIVE_SECONDS, Math.round(targetDurationMs / 1000)));
  return `private, max-age=${seconds}`;
}

/** A header that Node would refuse to send must not cost the viewer the segment. */
const isSendable = (value: string): boolean => /^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value);

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
