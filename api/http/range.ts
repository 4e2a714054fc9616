import type { Request } from 'express';
import type { ByteRange, RangeCondition } from '#delivery';

/**
 * Reads a `Range` header (RFC 9110 §14.2). Nothing means that the whole is to be sent: there was
 * none, its unit is not bytes, it is malformed, or it asks for several parts, which a server may
 * ignore and players do not do.
 */
export function parseRange(header: string | undefined): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? [];
  if (first === '') return last === '' ? undefined : { kind: 'suffix', length: offset(last) };
  const from = { kind: 'from', first: offset(first) } as const;
  if (last === '') return from;
  return offset(last) < from.first ? undefined : { ...from, last: offset(last) };
}

/** An offset beyond all files stays beyond all files, and exact. */
const offset = (digits: string): number => Math.min(Number(digits), MAX_OFFSET);

const MAX_OFFSET = 999_999_999_999_999;

/**
 * Reads an `If-Range` header (RFC 9110 §13.1.5): an entity tag, or a date as the server wrote it.
 * Anything else is a condition that never holds.
 */
export function parseIfRange(header: string | undefined): RangeCondition | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  if (/^(?:W\/)?"/.test(text)) return { kind: 'etag', etag: text };
  return { kind: 'date', date: text };
}

/** What a request says of the part that it wants. */
export function rangesIn(req: Request) {
  const range = parseRange(req.get('range'));
  const condition = parseIfRange(req.get('if-range'));
  return {
    ...(range === undefined ? {} : { range }),
    ...(condition === undefined ? {} : { condition }),
  };
}
