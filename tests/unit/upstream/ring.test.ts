import { describe, expect, it } from 'vitest';
import { chooseNext, chooseNow, isReturnDue } from '../../../services/upstream/ring.ts';
import type { RingPlace } from '../../../services/upstream/ring.ts';
import { HEALTHY } from '../../../services/upstream/source-health.ts';
import type { SourceHealth } from '../../../services/upstream/source-health.ts';

const NOW = 100_000;
const good = HEALTHY;
const cooling = (forMs: number, failedAgoMs = 1000): SourceHealth => ({
  state: 'open',
  budget: 0,
  strikes: 1,
  readyAtMs: NOW + forMs,
  failedAtMs: NOW - failedAgoMs,
});
const probed: SourceHealth = { ...cooling(-1), state: 'half-open' };
const ring = (...healths: SourceHealth[]): readonly RingPlace[] =>
  healths.map((health, index) => ({ index, health }));

describe('the next source', () => {
  it.each([
    ['is the first in the ring', [good, good], 0, 0],
    ['is not one that cools', [cooling(10), good], 1, 0],
    ['may be one that has cooled', [cooling(0), good], 0, 0],
    ['is rather not one that another reader tries', [probed, good], 1, 0],
    ['is the one that another reader tries before one that cools', [cooling(10), probed], 1, 0],
    ['is the one that is ready first when all cool', [cooling(900), cooling(300)], 1, 300],
    ['is not awaited for longer than 5 s', [cooling(60_000), cooling(50_000)], 1, 5000],
  ] as const)('%s', (_name, healths, index, waitMs) => {
    expect(chooseNext(ring(...healths), NOW)).toEqual({ index, waitMs });
  });

  it('for who cannot wait is the one that has rested longest when all cool', () => {
    const places = ring(cooling(900, 100), cooling(9000, 3000), cooling(300, 50));
    expect(chooseNow(places, NOW)).toEqual({ index: 1, waitMs: 0 });
  });

  it('does not exist where there is none', () => {
    expect([chooseNext([], NOW), chooseNow([], NOW)]).toEqual([undefined, undefined]);
  });
});

describe('the return to the primary', () => {
  const due = {
    index: 0,
    onBackupMs: 60_000,
    failbackAfterMs: 60_000,
    primary: good,
    nowMs: NOW,
  };

  it.each([
    ['is due after the time that is set', {}, true],
    ['is not due before', { onBackupMs: 59_999 }, false],
    ['is never due when the setting is 0', { failbackAfterMs: 0, onBackupMs: 1e9 }, false],
    ['is never due on the primary', { index: -1 }, false],
    ['waits until the primary has cooled', { primary: cooling(1) }, false],
    ['is due when it has cooled', { primary: cooling(0) }, true],
    ['is not due while another reader tries it', { primary: probed }, false],
  ] as const)('%s', (_name, over, expected) => {
    expect(isReturnDue({ ...due, ...over })).toBe(expected);
  });
});
