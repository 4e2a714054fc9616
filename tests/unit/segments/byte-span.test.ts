import { describe, expect, it } from 'vitest';
import { continues, rangeFrom, spanOf } from '../../../services/segments/byte-span.ts';
import type { ByteSpan } from '../../../services/segments/byte-span.ts';

const head = (status: number, headers: Record<string, string> = {}) => ({
  status,
  headers: new Map(Object.entries(headers)),
});

const span = (status: number, headers: Record<string, string> = {}): ByteSpan => {
  const found = spanOf(head(status, headers));
  if (!found) throw new Error('No span.');
  return found;
};

describe('spanOf', () => {
  it.each([
    ['a whole body', 200, { 'content-length': '10' }, { first: 0, last: 9, total: 10 }],
    ['a body without length', 200, {}, { first: 0, last: undefined, total: undefined }],
    ['a part', 206, { 'content-range': 'bytes 5-9/20' }, { first: 5, last: 9, total: 20 }],
    [
      'a part of who knows how much',
      206,
      { 'content-range': 'bytes 5-9/*' },
      { first: 5, last: 9, total: undefined },
    ],
    [
      'a part that still grows',
      206,
      { 'content-range': 'bytes 5-9007199254740991/*' },
      { first: 5, last: undefined, total: undefined },
    ],
  ])('reads %s', (_name, status, headers, expected) => {
    expect(spanOf(head(status, headers))).toMatchObject(expected);
  });

  it('has no span for a part that does not say which', () => {
    expect(spanOf(head(206))).toBeUndefined();
    expect(spanOf(head(206, { 'content-range': 'items 0-1/2' }))).toBeUndefined();
  });
});

describe('continues', () => {
  const whole = span(200, { 'content-length': '10', etag: '"a"' });

  it('asks for what is missing', () => {
    expect(rangeFrom(whole, 4)).toBe('bytes=4-9');
    expect(rangeFrom(span(200), 4)).toBe('bytes=4-');
  });

  it.each([
    [
      'the very next byte of the same version',
      206,
      { 'content-range': 'bytes 4-9/10', etag: '"a"' },
      true,
    ],
    ['a server that says less', 206, { 'content-range': 'bytes 4-9/*' }, true],
    ['another byte', 206, { 'content-range': 'bytes 5-9/10', etag: '"a"' }, false],
    ['another end', 206, { 'content-range': 'bytes 4-8/10', etag: '"a"' }, false],
    ['another size', 206, { 'content-range': 'bytes 4-9/11', etag: '"a"' }, false],
    ['another version', 206, { 'content-range': 'bytes 4-9/10', etag: '"b"' }, false],
    ['the whole again', 200, { 'content-length': '10', etag: '"a"' }, false],
    ['a part that does not say which', 206, {}, false],
    ['an error', 416, {}, false],
  ])('judges a second answer: %s', (_name, status, headers, expected) => {
    expect(continues(whole, 4, head(status, headers))).toBe(expected);
  });

  it('takes the whole again where nothing had come of it', () => {
    expect(continues(whole, 0, head(200, { 'content-length': '10', etag: '"a"' }))).toBe(true);
    expect(continues(whole, 0, head(200, { 'content-length': '11' }))).toBe(false);
  });
});
