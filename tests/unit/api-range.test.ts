import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIfRange, parseRange } from '#api/http/range';
import { formatRange } from '#kernel/byte-range';

describe('Range header', () => {
  it.each([
    ['bytes=0-0', { kind: 'from', first: 0, last: 0 }],
    ['bytes=0-', { kind: 'from', first: 0 }],
    ['bytes=500-', { kind: 'from', first: 500 }],
    ['bytes=500-999', { kind: 'from', first: 500, last: 999 }],
    ['bytes=007-0010', { kind: 'from', first: 7, last: 10 }],
    ['BYTES=1-2', { kind: 'from', first: 1, last: 2 }],
    ['  bytes=1-2 ', { kind: 'from', first: 1, last: 2 }],
    ['bytes=-1', { kind: 'suffix', length: 1 }],
    ['bytes=-500', { kind: 'suffix', length: 500 }],
    ['bytes=-0', { kind: 'suffix', length: 0 }],
  ])('%j is a range', (header, range) => {
    expect(parseRange(header)).toEqual(range);
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5',
    'bytes=2-1',
    'bytes=a-b',
    'bytes=1-b',
    'bytes=-1-2',
    'bytes=+1-2',
    'bytes=1.5-2',
    'bytes=1-2-3',
    'bytes=0x1-0x2',
    'bytes 1-2',
    'items=1-2',
    'seconds=1-',
    'none',
    'bytes=0-1,5-6',
    'bytes=0-,0-',
    'bytes=1 2-3',
  ])('%j asks for the whole', (header) => {
    expect(parseRange(header)).toBeUndefined();
  });

  it('keeps an offset beyond all files exact and beyond all files', () => {
    const digits = '9'.repeat(400);
    for (const header of [`bytes=${digits}-`, `bytes=0-${digits}`, `bytes=-${digits}`]) {
      const range = parseRange(header);
      const numbers = Object.values(range ?? {}).filter((value) => typeof value === 'number');
      expect(numbers.every(Number.isSafeInteger)).toBe(true);
    }
    expect(parseRange(`bytes=${digits}-`)).toEqual({ kind: 'from', first: 999_999_999_999_999 });
  });

  it('reads back what is sent upstream', () => {
    const offsets = fc.maxSafeNat().map((n) => n % 1_000_000_000_000_000);
    const ranges = fc.oneof(
      fc.record({ kind: fc.constant('suffix' as const), length: offsets }),
      fc.record({ kind: fc.constant('from' as const), first: offsets }),
      fc
        .tuple(offsets, offsets)
        .map(([a, b]) => ({ kind: 'from' as const, first: Math.min(a, b), last: Math.max(a, b) })),
    );
    expect(() =>
      fc.assert(
        fc.property(ranges, (range) => {
          expect(parseRange(formatRange(range))).toEqual(range);
        }),
      ),
    ).not.toThrow();
  });

  it('never throws, whatever it is given', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string().map((text) => `bytes=${text}`),
    );
    expect(() => fc.assert(fc.property(texts, (text) => void parseRange(text)))).not.toThrow();
  });
});

describe('If-Range header', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['"abc"', { kind: 'etag', etag: '"abc"' }],
    [' "abc" ', { kind: 'etag', etag: '"abc"' }],
    ['W/"abc"', { kind: 'etag', etag: 'W/"abc"' }],
    ['Wed, 21 Oct 2026 07:28:00 GMT', { kind: 'date', date: 'Wed, 21 Oct 2026 07:28:00 GMT' }],
    ['abc', { kind: 'date', date: 'abc' }],
  ])('%j is %j', (header, condition) => {
    expect(parseIfRange(header)).toEqual(condition);
  });
});
