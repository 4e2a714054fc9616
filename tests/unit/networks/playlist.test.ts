import { describe, expect, it } from 'vitest';
import {
  NO_SEGMENTS,
  numberIn,
  openingOf,
  playlistText,
  readPlaylist,
  segmentName,
  withSegment,
} from '#networks';
import type { ListedSegment, SegmentWindow } from '#networks';

const segment = (number: number, more: Partial<ListedSegment> = {}): ListedSegment => ({
  number,
  seconds: 6,
  atMs: 1_700_000_000_000 + number * 6_000,
  isDiscontinuous: false,
  ...more,
});

const windowOf = (...segments: readonly ListedSegment[]): SegmentWindow =>
  segments.reduce((window, one) => withSegment(window, one, 0), NO_SEGMENTS);

describe('the playlist of a network', () => {
  it('is flat, of version 6, with bare names, and has no end', () => {
    const text = playlistText(windowOf(segment(41), segment(42, { isDiscontinuous: true })));
    expect(text).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:6',
        '#EXT-X-TARGETDURATION:6',
        '#EXT-X-MEDIA-SEQUENCE:41',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXTINF:6.000000,',
        '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:17:26.000Z',
        'live000041.ts',
        '#EXT-X-DISCONTINUITY',
        '#EXTINF:6.000000,',
        '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:17:32.000Z',
        'live000042.ts',
        '',
      ].join('\n'),
    );
  });

  it('is read back as it was written', () => {
    const before = { ...windowOf(segment(7, { seconds: 5.96 }), segment(8)), gone: 2 };
    expect(readPlaylist(playlistText(before))).toEqual(before);
  });

  it.each(['', 'nonsense\n\n#EXTINF:x,\nfoo.ts', '#EXTM3U'])('is empty when it is %j', (text) => {
    expect(readPlaylist(text)).toEqual(NO_SEGMENTS);
  });

  it('drops the oldest, and counts the discontinuities that go with them', () => {
    const numbers = [0, 1, 2, 3, 4];
    const window = numbers.reduce(
      (now, number) => withSegment(now, segment(number, { isDiscontinuous: number === 1 }), 3),
      NO_SEGMENTS,
    );
    expect(window.segments.map(({ number }) => number)).toEqual([2, 3, 4]);
    expect(window.gone).toBe(1);
    expect(playlistText(window)).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:1\n');
  });

  it('keeps all where the size is 0, and never lowers its target duration', () => {
    const window = windowOf(segment(0, { seconds: 8.4 }), segment(1, { seconds: 2 }));
    expect(window.segments).toHaveLength(2);
    expect(window.targetSeconds).toBe(8);
  });
});

describe('names of segments', () => {
  it.each([
    ['live000042.ts', 42],
    ['live1000000.ts', 1_000_000],
    ['live000001.vtt', 1],
    ['live42.ts', undefined],
    ['../live000042.ts', undefined],
    ['live000042.ts.tmp', undefined],
    ['live.m3u8', undefined],
  ])('%s is number %s', (name, number) => {
    expect(numberIn(name)).toBe(number);
  });

  it('have six digits, or as many as it takes', () => {
    expect([segmentName(3), segmentName(1_234_567), segmentName(3, 'vtt')]).toEqual([
      'live000003.ts',
      'live1234567.ts',
      'live000003.vtt',
    ]);
  });
});

describe('where a programme begins', () => {
  const there = windowOf(segment(3), segment(4));
  const rows = [
    { manner: 'fresh', asked: 0, first: 0, kept: 0, marked: false },
    { manner: 'asked', asked: 5, first: 5, kept: 2, marked: true },
    { manner: 'asked', asked: 9, first: 9, kept: 0, marked: false },
    { manner: 'asked', asked: 2, first: 2, kept: 0, marked: false },
    { manner: 'onward', asked: 0, first: 5, kept: 2, marked: true },
    { manner: 'onward', asked: 3, first: 5, kept: 2, marked: true },
    { manner: 'onward', asked: 8, first: 8, kept: 0, marked: false },
  ] as const;

  it.each(rows)('is $first for $manner $asked', ({ manner, asked, first, kept, marked }) => {
    const opening = openingOf({ asked, manner }, there, 4);
    expect(opening.firstNumber).toBe(first);
    expect(opening.window.segments).toHaveLength(kept);
    expect(opening.isDiscontinuous).toBe(marked);
  });

  it('is behind the last that was ever listed, where the list is lost', () => {
    expect(openingOf({ asked: 0, manner: 'onward' }, NO_SEGMENTS, 41).firstNumber).toBe(42);
    expect(openingOf({ asked: 0, manner: 'onward' }, NO_SEGMENTS, null).firstNumber).toBe(0);
  });
});
