/** The part of a file that a player asks for; offsets in bytes (RFC 9110 §14.1.2). */
export type ByteRange =
  | {
      readonly kind: 'from';
      readonly first: number;
      /** Inclusive; absent: up to the end. */
      readonly last?: number;
    }
  | { readonly kind: 'suffix'; readonly length: number };

/** What a range hangs on: the file is still the one that the player knows (RFC 9110 §13.1.5). */
export type RangeCondition =
  | { readonly kind: 'etag'; readonly etag: string }
  | { readonly kind: 'date'; readonly date: string };

/** Bytes of a file, both ends included. */
export type Span = { readonly first: number; readonly last: number };

/** Where a range lies in a file of this size; nothing when it lies outside. */
export function spanOf(range: ByteRange, sizeBytes: number): Span | undefined {
  const end = sizeBytes - 1;
  if (range.kind === 'suffix') {
    if (range.length === 0 || sizeBytes === 0) return undefined;
    return { first: Math.max(0, sizeBytes - range.length), last: end };
  }
  if (range.first > end) return undefined;
  return { first: range.first, last: Math.min(range.last ?? end, end) };
}

/** A range as the value of a `Range` header. */
export const formatRange = (range: ByteRange): string =>
  range.kind === 'suffix' ? `bytes=-${range.length}` : `bytes=${range.first}-${range.last ?? ''}`;
