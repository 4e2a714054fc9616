import type { Span } from '#kernel/byte-range';

/** What a `Content-Range` says; the span is absent in answers with status 416. */
export type ContentRange = {
  readonly span?: Span;
  /** Of the whole file; absent when the source does not know (`*`). */
  readonly sizeBytes?: number;
};

const FORM = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/i;

/** Reads a `Content-Range`; nothing when it is malformed or contradicts itself. */
export function parseContentRange(text: string): ContentRange | undefined {
  const found = FORM.exec(text.trim());
  if (found === null) return undefined;
  const [, first, last, size] = found;
  const sizeBytes = size === undefined ? {} : { sizeBytes: Number(size) };
  if (first === undefined || last === undefined) return sizeBytes;
  const span = { first: Number(first), last: Number(last) };
  const isWithin = size === undefined || span.last < Number(size);
  return span.first <= span.last && isWithin ? { span, ...sizeBytes } : undefined;
}

/** For answers with status 206. */
export const formatContentRange = ({ first, last }: Span, sizeBytes: number | undefined): string =>
  `bytes ${first}-${last}/${sizeBytes ?? '*'}`;

/** For answers with status 416. */
export const formatUnsatisfied = (sizeBytes: number | undefined): string =>
  `bytes */${sizeBytes ?? '*'}`;
