import { describe, expect, it } from 'vitest';
import { HEALTHY, retryAfterMs, stepHealth } from '#upstream';

const NOW = Date.parse('Fri, 20 Nov 2026 10:00:00 GMT');

describe('Retry-After', () => {
  it.each([
    ['5', 5000],
    [' 5 ', 5000],
    ['Fri, 20 Nov 2026 10:00:07 GMT', 7000],
    ['3600', 60_000],
    ['Fri, 20 Nov 2026 12:00:00 GMT', 60_000],
    ['0', undefined],
    ['-4', undefined],
    ['Fri, 20 Nov 2026 09:00:00 GMT', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j ms', (value, expected) => {
    expect(retryAfterMs(value, NOW)).toBe(expected);
  });

  it('makes a source cool for longer, never for less', () => {
    const failed = { type: 'failed', failure: 'unavailable', goodMs: 0, atMs: 0 } as const;
    expect(stepHealth(HEALTHY, { ...failed, restMs: 7000 }).readyAtMs).toBe(7000);
    expect(stepHealth(HEALTHY, { ...failed, restMs: 100 }).readyAtMs).toBe(1000);
  });
});
