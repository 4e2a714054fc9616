import { describe, expect, it } from 'vitest';
import { Rhythm } from '#detection';

const LIMITS = { floorMs: 300, ceilingMs: 15_000 };

/** A source that sent a chunk every so often, for so long. */
function heard(everyMs: number, forMs: number): Rhythm {
  const rhythm = new Rhythm(0);
  for (let at = 0; at <= forMs; at += everyMs) rhythm.heard(at);
  return rhythm;
}

describe('how long a silence may last', () => {
  it.each([
    ['a steady source', 20, 10_000, 300],
    ['a source with a chunk every 100 ms', 100, 10_000, 400],
    ['a source with a burst every 2 s', 2000, 10_000, 4500],
    ['a source with a burst every 6 s', 6000, 18_000, 12_500],
    ['a source with a burst every 10 s', 10_000, 30_000, 15_000],
  ])('is learned from %s', (_name, everyMs, forMs, expected) => {
    expect(heard(everyMs, forMs).limitMs(LIMITS, undefined)).toBe(expected);
  });

  it('never is more than the ceiling, nor less than the floor', () => {
    expect(heard(20, 10_000).limitMs({ floorMs: 300, ceilingMs: 200 }, undefined)).toBe(200);
    expect(heard(20, 10_000).limitMs({ floorMs: 3000, ceilingMs: 15_000 }, undefined)).toBe(3000);
  });

  it('is the ceiling while a source without a clock is new', () => {
    expect(heard(20, 4000).limitMs(LIMITS, undefined)).toBe(15_000);
  });

  it('is what a new source is ahead of time, and a bit', () => {
    expect(heard(20, 400).limitMs(LIMITS, 6000)).toBe(8000);
    expect(heard(20, 400).limitMs(LIMITS, -500)).toBe(2000);
  });

  it('remembers a hiccup for a minute, not for ever', () => {
    const rhythm = heard(20, 10_000);
    rhythm.heard(10_250);
    expect(rhythm.limitMs(LIMITS, 0)).toBe(1000);
    for (let at = 10_260; at < 65_000; at += 20) rhythm.heard(at);
    expect(rhythm.limitMs(LIMITS, 0)).toBe(1000);
    for (let at = 65_000; at < 90_000; at += 20) rhythm.heard(at);
    expect(rhythm.limitMs(LIMITS, 0)).toBe(300);
  });
});

describe('a pause of ours', () => {
  it('is no silence of the source, and does not teach', () => {
    const rhythm = heard(20, 10_000);
    rhythm.pause(10_010);
    rhythm.resume(40_000);
    expect(rhythm.lastMs).toBe(40_000);
    rhythm.heard(40_050);
    expect(rhythm.peakGapMs).toBeLessThanOrEqual(50);
  });

  it('gives the source a moment to begin again', () => {
    const rhythm = heard(20, 10_000);
    rhythm.pause(10_010);
    rhythm.resume(20_000);
    expect(rhythm.limitMs(LIMITS, undefined)).toBe(2000);
    rhythm.heard(20_020);
    expect(rhythm.limitMs(LIMITS, undefined)).toBe(300);
  });

  it('does not make a new source a known one', () => {
    const rhythm = heard(20, 1000);
    rhythm.pause(1000);
    rhythm.resume(60_000);
    rhythm.heard(60_020);
    expect(rhythm.isKnown).toBe(false);
  });

  it('of a moment changes nothing', () => {
    const rhythm = heard(20, 10_000);
    rhythm.pause(10_010);
    rhythm.resume(10_020);
    expect(rhythm.limitMs(LIMITS, undefined)).toBe(300);
  });
});
