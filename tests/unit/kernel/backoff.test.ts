import { expect, it } from 'vitest';
import { type Backoff, backoffMs } from '#kernel/backoff';

const DOUBLING: Backoff = { baseMs: 100, maxMs: 1_000, factor: 2, jitter: 0 };

it.each([
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_000],
  [10_000, 1_000],
])('after %i failed attempts the wait is %i ms', (attempt, expected) => {
  expect(backoffMs(DOUBLING, attempt, () => 0.5)).toBe(expected);
});

it.each([
  [0, 100],
  [0.5, 90],
  [1, 80],
])('a draw of %d takes its part of the jitter off', (draw, expected) => {
  expect(backoffMs({ ...DOUBLING, jitter: 0.2 }, 1, () => draw)).toBe(expected);
});
