import type { UpstreamResponse } from '#upstream';

/** Which bytes of a resource a response carries, and what tells whether it is still the same. */
export type ByteSpan = {
  readonly first: number;
  /** The last byte, inclusive; `undefined` when the response did not say, or could not yet. */
  readonly last: number | undefined;
  /** Of the whole resource. */
  readonly total: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
};

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i;

type Head = Pick<UpstreamResponse, 'status' | 'headers'>;

/** What a 200 or 206 response carries; `undefined` for a 206 that does not say. */
export function spanOf({ status, headers }: Head): ByteSpan | undefined {
  const version = { etag: headers.get('etag'), lastModified: headers.get('last-modified') };
  if (status !== 206) {
    const length = lengthOf(headers.get('content-length'));
    return {
      first: 0,
      last: length === undefined ? undefined : length - 1,
      total: length,
      ...version,
    };
  }
  const match = CONTENT_RANGE.exec(headers.get('content-range')?.trim() ?? '');
  if (!match) return undefined;
  const [, first, last, total] = match;
  const isOpen = total === '*' && Number(last) >= VERY_LARGE;
  const end = isOpen ? undefined : Number(last);
  return { first: Number(first), last: end, total: lengthOf(total), ...version };
}

/**
 * "As far as it goes" of a resource that still grows (RFC 8673 §2.1): what a preload hint without a
 * length leads to. Servers repeat the offset of the request, and ours is at most this.
 */
const VERY_LARGE = 999_999_999_999_999;

/** The `Range` that asks for what is missing from byte `next` on. */
export const rangeFrom = (span: ByteSpan, next: number): string =>
  `bytes=${next}-${span.last ?? ''}`;

/**
 * Whether a second response goes on exactly at byte `next` of the first one's span, of the same
 * version of the same resource.
 */
export function continues(span: ByteSpan, next: number, second: Head): boolean {
  const rest = second.status === 206 || next === 0 ? spanOf(second) : undefined;
  if (!rest || rest.first !== next) return false;
  return (
    agree(span.last, rest.last) &&
    agree(span.total, rest.total) &&
    agree(span.etag, rest.etag) &&
    agree(span.lastModified, rest.lastModified)
  );
}

/** What one side does not say cannot contradict the other. */
const agree = <T>(one: T | undefined, other: T | undefined): boolean =>
  one === undefined || other === undefined || one === other;

function lengthOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
