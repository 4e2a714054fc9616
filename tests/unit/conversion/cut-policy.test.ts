import { describe, expect, it } from 'vitest';
import { expectedMs, isDue, isOverdue } from '../../../services/conversion/cut-policy.ts';

const choice = { durationMs: 0, gopMs: 1000, targetMs: 4000, isEarly: false, breaks: false };

describe('a segment', () => {
  it.each([
    ['is long enough', { durationMs: 4000 }, true],
    ['is a few frames short', { durationMs: 3920 }, true],
    ['is short, and another keyframe comes in time', { durationMs: 3000 }, false],
    ['would be too long at the next keyframe', { durationMs: 3500, gopMs: 3500 }, true],
    ['would be just long enough at the next', { durationMs: 3000, gopMs: 3000 }, false],
    ['is very short, however far the next', { durationMs: 1500, gopMs: 10_000 }, false],
    ['is one of the first', { durationMs: 2000, isEarly: true }, true],
    ['is one of the first and still short', { durationMs: 1000, isEarly: true }, false],
    ['is followed by other tracks', { durationMs: 40, breaks: true }, true],
  ])('ends when it %s: %o', (_name, over, due) => {
    expect(isDue({ ...choice, ...over })).toBe(due);
  });

  it('ends without a keyframe only when none has come for long', () => {
    expect(isOverdue(15_999, 4000)).toBe(false);
    expect(isOverdue(16_000, 4000)).toBe(true);
  });

  it.each([
    [0, 4000],
    [1000, 4000],
    [1920, 5760],
    [3000, 6000],
    [3500, 3500],
    [10_000, 10_000],
  ])('of groups of %d ms is expected to last %d ms', (gopMs, durationMs) => {
    expect(expectedMs(gopMs, 4000)).toBe(durationMs);
  });
});
