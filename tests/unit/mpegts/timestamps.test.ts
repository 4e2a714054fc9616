import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ahead27m,
  ahead90k,
  readPcr27m,
  readTime90k,
  wrap90k,
  writePcr27m,
  writeTime90k,
} from '../../../services/mpegts/timestamps.ts';

const CIRCLE_90K = 2 ** 33;
const time90k = fc.integer({ min: 0, max: CIRCLE_90K - 1 });

describe('times on a circle', () => {
  it.each([
    [0, CIRCLE_90K - 1, 1],
    [CIRCLE_90K - 1, 0, -1],
    [90_000, 0, 90_000],
    [0, 90_000, -90_000],
    [5, 5, 0],
  ])('%d is ahead of %d by %d', (to, from, distance) => {
    expect(ahead90k(to, from)).toBe(distance);
    expect(ahead27m(to * 300, from * 300)).toBe(distance * 300);
  });

  it('come back as they were written, over whatever stood there', () => {
    fc.assert(
      fc.property(time90k, fc.integer({ min: 0, max: 299 }), (time, extension) => {
        const bytes = Buffer.alloc(11, 0x31);
        writeTime90k(bytes, 0, time);
        expect(readTime90k(bytes, 0)).toBe(time);
        expect((bytes[0] ?? 0) >> 4).toBe(3);
        writePcr27m(bytes, 5, time * 300 + extension);
        expect(readPcr27m(bytes, 5)).toBe(time * 300 + extension);
      }),
    );
  });

  it('are the same after any number of steps there and back', () => {
    fc.assert(
      fc.property(
        time90k,
        fc.array(fc.integer({ min: -CIRCLE_90K, max: CIRCLE_90K })),
        (from, steps) => {
          const there = steps.reduce((time, step) => wrap90k(time + step), from);
          const back = steps.reduce((time, step) => wrap90k(time - step), there);
          expect(back).toBe(from);
        },
      ),
    );
  });
});
