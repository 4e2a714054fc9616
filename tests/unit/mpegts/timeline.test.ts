import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockMap, spliceOffset90k } from '../../../services/mpegts/timeline.ts';
import { ahead27m, wrap90k } from '../../../services/mpegts/timestamps.ts';

const NOTHING = { nextDts90k: -1, endPts90k: -1, audioEnd90k: -1, pcr27m: -1 };
const LAST = 2 ** 33 - 1;

describe('where a source is put in time', () => {
  it.each([
    [
      'follows the last decoding time',
      { ...NOTHING, nextDts90k: 1000 },
      { pts90k: 0, dts90k: 0 },
      1000,
    ],
    [
      'follows the last picture shown',
      { ...NOTHING, nextDts90k: 1000, endPts90k: 8200 },
      { pts90k: 3600, dts90k: 0 },
      4600,
    ],
    [
      'lets audio end soon after',
      { ...NOTHING, nextDts90k: 90_000, audioEnd90k: 100_000 },
      { pts90k: 0, dts90k: 0 },
      90_000,
    ],
    [
      'waits for audio that went on alone',
      { ...NOTHING, nextDts90k: 90_000, audioEnd90k: 540_000 },
      { pts90k: 0, dts90k: 0 },
      450_000,
    ],
    [
      'is not due before the clock',
      { ...NOTHING, nextDts90k: 90_000, pcr27m: 95_000 * 300 },
      { pts90k: 0, dts90k: 0 },
      95_001,
    ],
    [
      'goes round the circle',
      { ...NOTHING, nextDts90k: 10, endPts90k: LAST },
      { pts90k: 5, dts90k: 5 },
      5,
    ],
  ])('%s', (_name, end, start, offset) => {
    expect(spliceOffset90k(end, start)).toBe(offset);
  });

  it('is where it is when nothing is known', () => {
    expect(spliceOffset90k(NOTHING, { pts90k: 5, dts90k: 5 })).toBeUndefined();
  });
});

describe('the program clock over a switch', () => {
  it('keeps its distance to decoding', () => {
    const clock = new ClockMap(1000, 500 * 300);
    clock.begin(0, 1700, 900 * 300);
    expect(clock.map(0, 1700)).toBe(800 * 300);
  });

  it('comes back to the source’s own distance, a little at a time', () => {
    const clock = new ClockMap(0, -1);
    // The source is 1 s ahead of its clock, the output 0.1 s.
    clock.begin(0, 90_000, 2_700_000);
    const ahead = (source27m: number): number =>
      90_000 * 300 +
      source27m -
      clock.map(source27m, wrap90k(90_000 + Math.floor(source27m / 300)));
    expect(ahead(0)).toBe(2_700_000);
    const later = [1, 2, 3].map((second) => ahead(second * 27_000_000));
    expect(later).toEqual([2_752_734, 2_805_468, 2_858_202]);
  });

  it('waits for what is due where its source is ahead of itself', () => {
    const clock = new ClockMap(0, -1);
    clock.begin(0, 90_000, 9000 * 300);
    expect(clock.map(27_000_000, 90_090)).toBe(90_090 * 300);
    // And goes on, a tick at a time, while nothing more is due.
    expect(clock.map(28_000_000, 90_090)).toBe(90_090 * 300 + 1);
  });

  it('only ever goes forward', () => {
    const step = fc.integer({ min: -27_000_000, max: 27_000_000 });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 50 }),
        fc.integer({ min: 0, max: 10 ** 7 }),
        (steps, start) => {
          const clock = new ClockMap(0, start);
          clock.begin(0, Math.ceil(start / 300) + 100, 20_000);
          let last = start;
          let source = 0;
          for (const by of steps) {
            source = Math.max(0, source + by);
            const due = Math.ceil(start / 300) + 100 + Math.floor(source / 300);
            const now = clock.map(source, due);
            expect(ahead27m(now, last)).toBeGreaterThan(0);
            last = now;
          }
        },
      ),
    );
  });
});
