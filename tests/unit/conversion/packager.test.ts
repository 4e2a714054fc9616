import { describe, expect, it } from 'vitest';
import { Packager } from '#conversion';
import { SegmentWindow } from '../../../services/conversion/segment-window.ts';
import { TestClock } from '../../support/test-clock.ts';
import { simpleStream } from '../../support/ts-build.ts';

const urlOf = (sequence: number): string => `segment.ts?h=${sequence}`;
const seconds = (count: number, from = 1): Buffer =>
  simpleStream({ pictures: 25 * count, gop: 25, firstPts90k: from * 90_000 });

const segment = (over: { startsAnew?: boolean; size?: number } = {}) => ({
  bytes: Buffer.alloc(over.size ?? 10),
  durationMs: 4000,
  startsAtMs: 0,
  startsAnew: false,
  isIndependent: true,
  ...over,
});

describe('a packager', () => {
  it('writes a live playlist, dated and with exact durations', async () => {
    const clock = new TestClock(Date.UTC(2024, 0, 1, 0, 1));
    const packager = new Packager({ targetMs: 1000, mostBytes: 10_000_000, clock });
    packager.write(seconds(3));
    await packager.ready;
    expect(packager.playlist(urlOf)).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:3',
        '#EXT-X-TARGETDURATION:1',
        '#EXT-X-MEDIA-SEQUENCE:60',
        '#EXT-X-DISCONTINUITY-SEQUENCE:60',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:01:00.000Z',
        '#EXTINF:1.00000,',
        'segment.ts?h=60',
        '#EXTINF:1.00000,',
        'segment.ts?h=61',
        '',
      ].join('\n'),
    );
    expect(packager.segment(60)?.durationMs).toBe(1000);
    expect(packager.segment(59)).toBeUndefined();
  });

  it('says where the timeline breaks, and dates it anew', () => {
    const packager = new Packager({ targetMs: 1000, mostBytes: 1e7, clock: new TestClock() });
    packager.write(seconds(3, 100));
    packager.write(seconds(3, 1));
    const lines = packager.playlist(urlOf).split('\n');
    expect(lines.filter((line) => line === '#EXT-X-DISCONTINUITY')).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('#EXT-X-PROGRAM-DATE'))).toHaveLength(2);
  });

  it('announces from the first how long segments will be', () => {
    const packager = new Packager({ targetMs: 4000, mostBytes: 1e7, clock: new TestClock() });
    packager.write(simpleStream({ pictures: 25 * 7, gop: 75 }));
    expect(packager.playlist(urlOf)).toContain('#EXT-X-TARGETDURATION:6\n');
  });
});

describe('a window of segments', () => {
  const options = { firstSequence: 7, mostBytes: 1000 };

  it('lists the last six and keeps four more', () => {
    const window = new SegmentWindow(options);
    for (let index = 0; index < 12; index += 1) window.add(segment());
    expect(window.listed.map(({ sequence }) => sequence)).toEqual([13, 14, 15, 16, 17, 18]);
    expect(window.find(9)).toBeDefined();
    expect(window.find(8)).toBeUndefined();
  });

  it('stays within its memory, but for the last two', () => {
    const window = new SegmentWindow(options);
    for (let index = 0; index < 5; index += 1) window.add(segment({ size: 400 }));
    expect(window.listed.map(({ sequence }) => sequence)).toEqual([10, 11]);
    window.add(segment({ size: 4000 }));
    expect(window.listed.map(({ sequence }) => sequence)).toEqual([11, 12]);
  });

  it('counts the discontinuities that have left the list, and only these', () => {
    const window = new SegmentWindow(options);
    window.add(segment());
    window.add(segment({ startsAnew: true }));
    const before: number[] = [];
    for (let index = 0; index < 12; index += 1) {
      window.add(segment());
      before.push(window.discontinuitiesBefore);
    }
    // It is the second of the list with five more, the first with six, and then it has left.
    expect(before).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
  });
});
