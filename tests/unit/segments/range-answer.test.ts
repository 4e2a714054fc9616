import { describe, expect, it } from 'vitest';
import type { ByteRange } from '#kernel/byte-range';
import { answerTo, holds, spanOf } from '#segments';
import type { FetchHead } from '#segments';

const head = (status: number, headers: Record<string, string>): FetchHead => {
  const said = new Map(Object.entries(headers));
  return { status, headers: said, span: spanOf({ status, headers: said }), first: Buffer.alloc(0) };
};
const from = (first: number, last?: number): ByteRange =>
  last === undefined ? { kind: 'from', first } : { kind: 'from', first, last };

const WHOLE = head(200, { 'content-length': '100', etag: '"e"', 'last-modified': 'then' });
const PACKED = head(200, { 'content-length': '100', 'content-encoding': 'gzip' });
const ENDLESS = head(200, {});
const PART = head(206, { 'content-range': 'bytes 10-19/100' });
const ALL = head(206, { 'content-range': 'bytes 0-99/100' });

describe('the answer to a range', () => {
  it.each([
    ['no range', undefined, WHOLE, [200, 0, 99, 100, undefined]],
    ['the beginning', from(0, 9), WHOLE, [206, 0, 9, 10, 'bytes 0-9/100']],
    ['up to the end', from(90), WHOLE, [206, 90, 99, 10, 'bytes 90-99/100']],
    ['beyond the end', from(90, 200), WHOLE, [206, 90, 99, 10, 'bytes 90-99/100']],
    ['the last bytes', { kind: 'suffix', length: 5 }, WHOLE, [206, 95, 99, 5, 'bytes 95-99/100']],
    ['outside', from(100), WHOLE, [416, 0, -1, 0, 'bytes */100']],
    ['of what is compressed', from(0, 9), PACKED, [200, 0, 99, 100, undefined]],
    ['of what has no length', from(5, 9), ENDLESS, [206, 5, 9, 5, 'bytes 5-9/*']],
    ['open, of what has no length', from(5), ENDLESS, [200, 0, undefined, undefined, undefined]],
    ['all of it, which its source calls a part', undefined, ALL, [200, 0, 99, 100, undefined]],
    ['as its source gave it, all of it', from(0), ALL, [206, 0, 99, 100, 'bytes 0-99/100']],
    ['as its source gave it', from(10, 19), PART, [206, 0, 9, 10, 'bytes 10-19/100']],
  ] as const)('is %s', (_name, range, said, expected) => {
    const { status, part, lengthBytes, contentRange } = answerTo(range ? { range } : {}, said);
    expect([status, part.first, part.last, lengthBytes, contentRange]).toEqual(expected);
  });

  it.each([
    [undefined, true],
    [{ kind: 'etag', etag: '"e"' }, true],
    [{ kind: 'etag', etag: '"f"' }, false],
    [{ kind: 'etag', etag: 'W/"e"' }, false],
    [{ kind: 'date', date: 'then' }, true],
    [{ kind: 'date', date: 'now' }, false],
  ] as const)('hangs on the condition %o', (condition, verdict) => {
    expect(holds(condition, WHOLE)).toBe(verdict);
  });
});
