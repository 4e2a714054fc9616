import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '#kernel/app-error';
import { spanOf, type ByteRange } from '#kernel/byte-range';
import {
  formatContentRange,
  formatUnsatisfied,
  parseContentRange,
} from '../../services/delivery/vod/content-range.ts';
import { readAnswer } from '../../services/delivery/vod/file-answer.ts';
import {
  conditionHolds,
  isSameFile,
  isSameSize,
  type FileIdentity,
} from '../../services/delivery/vod/file-identity.ts';
import { looksLikeMedia, mediaTypeOf } from '../../services/delivery/vod/media-type.ts';
import { headersOf, wantedOf } from '../../services/delivery/vod/vod-response.ts';

const from = (first: number, last?: number): ByteRange =>
  last === undefined ? { kind: 'from', first } : { kind: 'from', first, last };
const suffix = (length: number): ByteRange => ({ kind: 'suffix', length });

describe('span of a range', () => {
  it.each([
    [from(0), 10, { first: 0, last: 9 }],
    [from(0, 0), 10, { first: 0, last: 0 }],
    [from(9), 10, { first: 9, last: 9 }],
    [from(2, 5), 10, { first: 2, last: 5 }],
    [from(2, 99), 10, { first: 2, last: 9 }],
    [from(10), 10, undefined],
    [from(0), 0, undefined],
    [suffix(3), 10, { first: 7, last: 9 }],
    [suffix(10), 10, { first: 0, last: 9 }],
    [suffix(99), 10, { first: 0, last: 9 }],
    [suffix(0), 10, undefined],
    [suffix(5), 0, undefined],
  ])('%j of %i bytes is %j', (range, sizeBytes, span) => {
    expect(spanOf(range, sizeBytes)).toEqual(span);
  });

  it('always lies within the file', () => {
    const ranges = fc.oneof(
      fc.nat().map(suffix),
      fc.nat().map((first) => from(first)),
      fc.tuple(fc.nat(), fc.nat()).map(([first, more]) => from(first, first + more)),
    );
    expect(() =>
      fc.assert(
        fc.property(ranges, fc.nat(), (range, sizeBytes) => {
          const span = spanOf(range, sizeBytes);
          return (
            span === undefined ||
            (span.first >= 0 && span.first <= span.last && span.last < sizeBytes)
          );
        }),
      ),
    ).not.toThrow();
  });
});

describe('Content-Range', () => {
  it.each([
    ['bytes 0-9/10', { span: { first: 0, last: 9 }, sizeBytes: 10 }],
    [' Bytes 5-9/10 ', { span: { first: 5, last: 9 }, sizeBytes: 10 }],
    ['bytes 5-9/*', { span: { first: 5, last: 9 } }],
    ['bytes */10', { sizeBytes: 10 }],
    ['bytes */*', {}],
  ])('%j is read', (text, range) => {
    expect(parseContentRange(text)).toEqual(range);
  });

  it.each(['', 'bytes', 'bytes 9-5/10', 'bytes 0-10/10', 'bytes=0-9/10', 'items 0-9/10', '0-9/10'])(
    '%j is not',
    (text) => {
      expect(parseContentRange(text)).toBeUndefined();
    },
  );

  it('is written as it is read', () => {
    expect(formatContentRange({ first: 5, last: 9 }, 10)).toBe('bytes 5-9/10');
    expect(formatContentRange({ first: 5, last: 9 }, undefined)).toBe('bytes 5-9/*');
    expect(formatUnsatisfied(10)).toBe('bytes */10');
    expect(formatUnsatisfied(undefined)).toBe('bytes */*');
  });
});

const identity = (over: Partial<FileIdentity> = {}): FileIdentity => ({
  sizeBytes: undefined,
  etag: undefined,
  lastModified: undefined,
  ...over,
});

describe('file identity', () => {
  it.each([
    ['size alone', { sizeBytes: 1 }, { sizeBytes: 1 }, true],
    ['another size', { sizeBytes: 1, etag: '"a"' }, { sizeBytes: 2, etag: '"a"' }, false],
    ['size and tag', { sizeBytes: 1, etag: '"a"' }, { sizeBytes: 1, etag: '"a"' }, true],
    ['another tag', { sizeBytes: 1, etag: '"a"' }, { sizeBytes: 1, etag: '"b"' }, false],
    ['a tag that went away', { sizeBytes: 1, etag: '"a"' }, { sizeBytes: 1 }, true],
    ['a strong tag alone', { etag: '"a"' }, { etag: '"a"' }, true],
    ['a weak tag alone', { etag: 'W/"a"' }, { etag: 'W/"a"' }, false],
    ['size and a weak tag', { sizeBytes: 1, etag: 'W/"a"' }, { sizeBytes: 1, etag: '"a"' }, true],
    [
      'size and date',
      { sizeBytes: 1, lastModified: 'x' },
      { sizeBytes: 1, lastModified: 'x' },
      true,
    ],
    [
      'another date',
      { sizeBytes: 1, lastModified: 'x' },
      { sizeBytes: 1, lastModified: 'y' },
      false,
    ],
    [
      'another date, the same tag',
      { sizeBytes: 1, etag: '"a"', lastModified: 'x' },
      { sizeBytes: 1, etag: '"a"', lastModified: 'y' },
      true,
    ],
    ['a date alone', { lastModified: 'x' }, { lastModified: 'x' }, false],
    ['nothing at all', {}, {}, false],
  ])('by %s', (_what, begun, now, isSame) => {
    expect(isSameFile(identity(begun), identity(now))).toBe(isSame);
  });

  it('goes by exact size alone between two sources', () => {
    const begun = identity({ sizeBytes: 1, etag: '"a"' });
    expect(isSameSize(begun, identity({ sizeBytes: 1, etag: '"b"' }))).toBe(true);
    expect(isSameSize(begun, identity({ sizeBytes: 2, etag: '"a"' }))).toBe(false);
    expect(isSameSize(begun, identity({ etag: '"a"' }))).toBe(false);
    expect(isSameSize(identity(), identity())).toBe(false);
  });

  it.each([
    ['the same strong tag', { kind: 'etag', etag: '"a"' }, { etag: '"a"' }, true],
    ['another tag', { kind: 'etag', etag: '"a"' }, { etag: '"b"' }, false],
    ['no tag', { kind: 'etag', etag: '"a"' }, {}, false],
    ['the same weak tag', { kind: 'etag', etag: 'W/"a"' }, { etag: 'W/"a"' }, false],
    ['a weak tag of ours', { kind: 'etag', etag: '"a"' }, { etag: 'W/"a"' }, false],
    ['the same date', { kind: 'date', date: 'x' }, { lastModified: 'x' }, true],
    ['a later date', { kind: 'date', date: 'y' }, { lastModified: 'x' }, false],
    ['no date', { kind: 'date', date: 'x' }, {}, false],
  ] as const)('decides If-Range: %s', (_what, condition, now, holds) => {
    expect(conditionHolds(condition, identity(now))).toBe(holds);
  });

  it('has nothing to decide without If-Range', () => {
    expect(conditionHolds(undefined, identity())).toBe(true);
  });
});

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('media type', () => {
  it.each([
    ['video/mp4', 'http://a/x', 'video/mp4'],
    ['video/mp4; codecs="avc1"', 'http://a/x', 'video/mp4; codecs="avc1"'],
    ['audio/mpeg', 'http://a/x.mp4', 'audio/mpeg'],
    ['application/octet-stream', 'http://a/x.mkv', 'video/x-matroska'],
    [undefined, 'http://a/x.mp4', 'video/mp4'],
    [undefined, 'http://a/x.MP4?token=y.mkv#z.avi', 'video/mp4'],
    [undefined, 'http://a/x.webm', 'video/webm'],
    [undefined, 'http://a/x.avi', 'video/x-msvideo'],
    [undefined, 'http://a/x.ts', 'video/mp2t'],
    [undefined, 'http://a/stream/channel/1?profile=pass', 'video/mp2t'],
    [undefined, 'http://a/x', 'application/octet-stream'],
    [undefined, 'http://a.mp4/', 'application/octet-stream'],
    ['text/html', 'http://a/x.mp4', 'video/mp4'],
    ['text/plain', 'http://a/x', 'application/octet-stream'],
    ['audio/x-mpegurl', 'http://a/x.mp4', 'video/mp4'],
    ['video/mp4\u0001', 'http://a/x', 'application/octet-stream'],
  ])('declared %j at %j is %j', (declared, url, type) => {
    expect(mediaTypeOf(declared, url)).toBe(type);
  });

  it.each([
    ['an mp4', undefined, '\0\0\0\x20ftypisom', true],
    ['an mkv', 'text/plain', '\x1aE\xdf\xa3', true],
    ['a transport stream', 'text/html', 'G@\x11\x10\0B\xf0', true],
    ['text without a type that says so', 'video/mp4', 'any bytes at all', true],
    ['text that is declared as such', 'text/plain', 'Too many connections', false],
    ['a page', 'video/mp4', '<!DOCTYPE html><html>', false],
    ['a page after blanks', undefined, '\r\n\r\n  <html lang="en">', false],
    ['a page after a mark', undefined, '\xef\xbb\xbf<html>', false],
    ['an XML error', undefined, '<?xml version="1.0"?><Error>', false],
    ['a JSON error', undefined, '{ "error": "expired" }', false],
    ['a playlist', 'application/octet-stream', '#EXTM3U\n', false],
  ])('%s declared %j is media: %#', (_what, declared, text, isMedia) => {
    expect(looksLikeMedia(declared, bytes(text))).toBe(isMedia);
  });
});

const head = (status: number, headers: Record<string, string>) => ({
  status,
  headers: new Map(Object.entries(headers)),
});

const codeWhen = (call: () => unknown): string => {
  try {
    call();
    return 'nothing thrown';
  } catch (error) {
    return codeOf(error);
  }
};

describe("answer of a source, and the player's", () => {
  const whole = head(200, { 'content-length': '10', 'accept-ranges': 'bytes' });
  const noRanges = head(200, { 'content-length': '10' });
  const endless = head(200, {});
  const part = (range: string) => head(206, { 'content-range': range });
  const outside = head(416, { 'content-range': 'bytes */10' });

  it.each([
    ['the whole', from(0), undefined, part('bytes 0-9/10'), '200 0-9'],
    ['the whole', from(0), undefined, whole, '200 0-9'],
    ['the whole', from(0), undefined, noRanges, '200 0-9'],
    ['the whole, of unknown size', from(0), undefined, endless, '200 0-?'],
    ['the whole, in a short part', from(0), undefined, part('bytes 0-4/10'), '200 0-9'],
    ['the whole, part of unknown size', from(0), undefined, part('bytes 0-4/*'), '200 0-?'],
    ['an open range', from(4), from(4), part('bytes 4-9/10'), '206 4-9'],
    ['a range', from(4, 5), from(4, 5), part('bytes 4-5/10'), '206 4-5'],
    ['a range beyond the end', from(4, 99), from(4, 99), part('bytes 4-9/10'), '206 4-9'],
    ['a range, in a shorter part', from(4, 8), from(4, 8), part('bytes 4-6/10'), '206 4-8'],
    ['a range of unknown size', from(4, 8), from(4, 8), part('bytes 4-6/*'), '206 4-6'],
    ['a suffix', suffix(3), suffix(3), part('bytes 7-9/10'), '206 7-9'],
    ['a range from the beginning', from(0, 1), from(0, 1), whole, '206 0-1'],
    ['a range within a whole', from(4, 5), from(4, 5), whole, '200 0-9'],
    ['a range without ranges', from(4, 5), from(4, 5), noRanges, '200 0-9'],
    ['a first range without ranges', from(0, 1), from(0, 1), noRanges, '200 0-9'],
    ['a range outside', from(10), from(10), outside, 'outside'],
    ['a range outside a whole', from(10), from(10), whole, 'outside'],
  ] as const)('%s (asked %j): %#', (_what, asked, range, answer, expected) => {
    const read = readAnswer(answer, asked, 'http://a/x.mp4');
    const wanted = wantedOf(range === undefined ? {} : { range }, read);
    const text = wanted && `${wanted.status} ${wanted.first}-${wanted.last ?? '?'}`;
    expect(text ?? 'outside').toBe(expected);
  });

  it.each([
    ['another part', part('bytes 5-9/10'), from(4), 'UPSTREAM_PROTOCOL'],
    ['another suffix', part('bytes 5-9/10'), suffix(3), 'UPSTREAM_PROTOCOL'],
    ['a part that is nowhere', head(206, {}), from(0), 'UPSTREAM_PROTOCOL'],
    [
      'several parts',
      head(206, { 'content-type': 'multipart/byteranges' }),
      from(0),
      'UPSTREAM_PROTOCOL',
    ],
    [
      'a page',
      head(200, { 'content-type': 'text/html; charset=utf-8' }),
      from(0),
      'UPSTREAM_WRONG_TYPE',
    ],
    [
      'a page in parts',
      head(206, { 'content-range': 'bytes 0-9/10', 'content-type': 'text/html' }),
      from(0),
      'UPSTREAM_WRONG_TYPE',
    ],
    ['JSON', head(200, { 'content-type': 'application/json' }), from(0), 'UPSTREAM_WRONG_TYPE'],
    [
      'a playlist',
      head(200, { 'content-type': 'application/x-mpegURL' }),
      from(0),
      'UPSTREAM_WRONG_TYPE',
    ],
    ['nothing', head(204, {}), from(0), 'UPSTREAM_STATUS'],
    ['not found', head(404, {}), from(0), 'UPSTREAM_STATUS'],
    ['forbidden', head(403, { 'content-type': 'text/html' }), from(0), 'UPSTREAM_STATUS'],
    ['not modified', head(304, {}), from(0), 'UPSTREAM_STATUS'],
    ['an error', head(500, {}), from(0), 'UPSTREAM_STATUS'],
  ] as const)('%s is a failure', (_what, answer, asked, code) => {
    expect(codeWhen(() => readAnswer(answer, asked, 'http://a/x.mp4'))).toBe(code);
  });

  const headersFor = (answer: ReturnType<typeof head>, asked: ByteRange, range?: ByteRange) => {
    const read = readAnswer(answer, asked, 'http://a/x.mp4');
    const wanted = wantedOf(range === undefined ? {} : { range }, read);
    return headersOf(wanted ?? { status: 200, first: 0, last: 0 }, read);
  };

  it('tells length, type, validators and ranges as they are', () => {
    const answer = head(206, {
      'content-range': 'bytes 4-5/10',
      'content-type': 'video/webm',
      etag: '"a"',
      'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT',
    });
    expect(headersFor(answer, from(4, 5), from(4, 5))).toEqual({
      'Content-Length': '2',
      'Content-Range': 'bytes 4-5/10',
      'Content-Type': 'video/webm',
      'Accept-Ranges': 'bytes',
      ETag: '"a"',
      'Last-Modified': 'Wed, 21 Oct 2026 07:28:00 GMT',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Expires: '0',
    });
  });

  it('claims neither ranges nor a length that the source does not have', () => {
    const headers = headersFor(endless, from(0));
    expect(headers['Accept-Ranges']).toBe('none');
    expect(headers).not.toHaveProperty('Content-Length');
    expect(headers).not.toHaveProperty('Content-Range');
  });

  it('leaves out what would not fit into a header', () => {
    const answer = head(200, { 'content-length': '10', etag: '"a\u0001"' });
    expect(headersFor(answer, from(0))).not.toHaveProperty('ETag');
  });
});
