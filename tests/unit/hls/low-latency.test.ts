import HLS from 'hls-parser';
import { describe, expect, it } from 'vitest';
import { listsPosition, lowLatencyOf, splitSequence, withoutLowLatency } from '#hls';
import type { LowLatencyFacts } from '#hls';
import { anyPlaylist, fc } from './playlist-arbitraries.ts';

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

const crlf = (text: string): string => text.replaceAll('\n', '\r\n');

const LIVE = lines(
  '#EXTM3U',
  '#EXT-X-VERSION:9',
  '#EXT-X-TARGETDURATION:4',
  '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0,CAN-SKIP-DATERANGES=YES,HOLD-BACK=12.5,PART-HOLD-BACK=1.002',
  '#EXT-X-PART-INF:PART-TARGET=0.334',
  '#EXT-X-MEDIA-SEQUENCE:266',
  '#EXT-X-MAP:URI="init.mp4"',
  '#EXTINF:4.00008,',
  '266.mp4',
  '#EXT-X-PART:DURATION=2,URI="267.0.mp4",INDEPENDENT=YES',
  '#EXT-X-PART:DURATION=2,URI="267.1.mp4"',
  '#EXTINF:4.00008,',
  '267.mp4',
  '#EXT-X-PART:DURATION=2,URI="268.0.mp4"',
  '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="268.1.mp4"',
  '#EXT-X-RENDITION-REPORT:URI="../1M/index.m3u8",LAST-MSN=268,LAST-PART=0',
);

const DELTA = lines(
  '#EXTM3U',
  '#EXT-X-TARGETDURATION:4',
  '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=NO',
  '#EXT-X-MEDIA-SEQUENCE:260',
  '#EXT-X-SKIP:SKIPPED-SEGMENTS=6,RECENTLY-REMOVED-DATERANGES="ad1\tad2"',
  '#EXTINF:4,',
  '266.mp4',
);

HLS.setOptions({ silent: true });

describe('lowLatencyOf', () => {
  it('reads what a low-latency engine has to know', () => {
    expect(lowLatencyOf(LIVE)).toEqual({
      partTargetMs: 334,
      canBlockReload: true,
      canSkipUntilMs: 24_000,
      canSkipDateRanges: true,
      holdBackMs: 12_500,
      partHoldBackMs: 1002,
      lastSequence: 267,
      partsOfLast: 2,
      trailingParts: 1,
      delta: undefined,
    });
  });

  it('reads what a delta update leaves out', () => {
    expect(lowLatencyOf(DELTA)).toMatchObject({
      canBlockReload: false,
      canSkipUntilMs: undefined,
      lastSequence: 266,
      delta: { skippedSegments: 6, firstListed: 266, removedDateRanges: ['ad1', 'ad2'] },
    });
  });

  it.each([
    ['a plain list', lines('#EXTM3U', '#EXTINF:4,', 'a', '#EXTINF:4,', 'b'), 1],
    ['nothing listed yet', lines('#EXTM3U', '#EXT-X-MEDIA-SEQUENCE:7'), 6],
    ['nonsense', lines('#EXTM3U', '#EXT-X-SERVER-CONTROL', '#EXT-X-PART-INF:PART-TARGET=x'), -1],
  ])('has facts of every playlist: %s', (_name, text, lastSequence) => {
    expect(lowLatencyOf(text)).toMatchObject({
      canBlockReload: false,
      partTargetMs: undefined,
      lastSequence,
      trailingParts: 0,
    });
  });

  it('gives up on what are no numbers', () => {
    expect(lowLatencyOf('#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n')).toBeUndefined();
    expect(lowLatencyOf('#EXTM3U\n#EXT-X-SKIP:SKIPPED-SEGMENTS=x\n')).toBeUndefined();
  });
});

describe('listsPosition', () => {
  const facts = lowLatencyOf(LIVE) as LowLatencyFacts;

  it.each([
    ['an older segment', 266, undefined, true],
    ['an older part', 266, 9, true],
    ['the last segment', 267, undefined, true],
    ['its last part', 267, 1, true],
    ['the part after its last: the first of the next', 267, 2, true],
    ['a part that is there', 268, 0, true],
    ['the part that is being made', 268, 1, false],
    ['the segment that is being made', 268, undefined, false],
    ['what is far ahead', 269, 0, false],
  ])('says whether a reload is answered at once: %s', (_name, sequence, part, expected) => {
    expect(listsPosition(facts, { sequence, part })).toBe(expected);
  });

  it('counts in numbers of any size', () => {
    const big = lowLatencyOf(LIVE.replace(':266', ':18446744073709551000')) as LowLatencyFacts;
    const at = (text: string): boolean => {
      const { rest, ...epoch } = splitSequence(text);
      return listsPosition(big, { sequence: rest, ...epoch, part: undefined });
    };
    expect(['18446744073709551001', '267'].map(at)).toEqual([true, true]);
    expect(['18446744073709551003'].map(at)).toEqual([false]);
    expect(listsPosition(facts, { sequence: 1, epoch: 1, part: undefined })).toBe(false);
  });

  it('waits for the next segment’s first part where the last segment has no more', () => {
    const whole = { ...facts, trailingParts: 0 };
    expect(listsPosition(whole, { sequence: 267, part: 2 })).toBe(false);
    expect(listsPosition({ ...whole, partsOfLast: 0 }, { sequence: 267, part: 2 })).toBe(true);
  });
});

describe('withoutLowLatency', () => {
  const PLAIN = lines(
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    '#EXT-X-TARGETDURATION:4',
    '#EXT-X-SERVER-CONTROL:HOLD-BACK=12.5',
    '#EXT-X-MEDIA-SEQUENCE:266',
    '#EXT-X-MAP:URI="init.mp4"',
    '#EXTINF:4.00008,',
    '266.mp4',
    '#EXTINF:4.00008,',
    '267.mp4',
  );

  it('leaves a plain list that plays by the clock', () => {
    expect(withoutLowLatency(LIVE)).toBe(PLAIN);
    const { lowLatencyCompatibility, segments } = HLS.parse(PLAIN) as HLS.types.MediaPlaylist;
    expect(lowLatencyCompatibility?.canBlockReload).toBeFalsy();
    expect(segments.map(({ uri, parts }) => [uri, parts.length])).toEqual([
      ['266.mp4', 0],
      ['267.mp4', 0],
    ]);
  });

  it('keeps CRLF', () => {
    expect(withoutLowLatency(crlf(LIVE))).toBe(crlf(PLAIN));
  });

  it.each([
    ['CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0', undefined],
    ['CAN-SKIP-UNTIL=12', undefined],
    ['CAN-BLOCK-RELOAD=YES, HOLD-BACK = 9.0', '#EXT-X-SERVER-CONTROL:HOLD-BACK=9.0'],
    ['HOLD-BACK=9.0', '#EXT-X-SERVER-CONTROL:HOLD-BACK=9.0'],
  ])('keeps of what the server can only the distance to hold: %s', (control, left) => {
    const text = lines('#EXTM3U', `#EXT-X-SERVER-CONTROL:${control}`, '#EXTINF:1,', 'a');
    expect(withoutLowLatency(text)).toBe(
      lines('#EXTM3U', ...(left === undefined ? [] : [left]), '#EXTINF:1,', 'a'),
    );
  });

  it('refuses a delta update', () => {
    expect(() => withoutLowLatency(DELTA)).toThrow(
      expect.objectContaining({ code: 'PLAYLIST_MALFORMED' }),
    );
  });

  it('changes nothing where there is nothing of low latency', () => {
    fc.assert(
      fc.property(anyPlaylist, (text) => {
        const isPlain = !/^#EXT-X-(?:PART|PREFETCH|SKIP)/m.test(text.replaceAll('\r', '\n'));
        fc.pre(isPlain);
        expect(withoutLowLatency(text)).toBe(text);
      }),
    );
  });
});
