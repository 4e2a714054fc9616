import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  cooldownMs,
  GOOD_SPELL_MS,
  HEALTHY,
  isReady,
  stepHealth,
} from '../../../services/upstream/source-health.ts';
import type {
  HealthEvent,
  HealthState,
  SourceHealth,
} from '../../../services/upstream/source-health.ts';

const NOW = 100_000;

const failed = (
  failure: 'broken' | 'unavailable' | 'useless',
  { goodMs = 0, atMs = NOW } = {},
): HealthEvent => ({ type: 'failed', failure, goodMs, atMs });

const OPEN: SourceHealth = {
  state: 'open',
  budget: 0,
  strikes: 2,
  readyAtMs: NOW + 500,
  failedAtMs: NOW - 1500,
};
const STATES: Record<HealthState, SourceHealth> = {
  closed: HEALTHY,
  open: OPEN,
  'half-open': { ...OPEN, state: 'half-open' },
};

const EVENTS: Record<HealthEvent['type'], HealthEvent> = {
  failed: failed('unavailable'),
  flowed: { type: 'flowed' },
  probed: { type: 'probed' },
  abandoned: { type: 'abandoned' },
};

/** State, event, what becomes of it, and the words of `docs/state-machines.md`. */
const CELLS = [
  ['closed', 'failed', 'open', 'closed, open when spent'],
  ['closed', 'flowed', 'closed', 'closed'],
  ['closed', 'probed', 'closed', 'closed'],
  ['closed', 'abandoned', 'closed', 'closed'],
  ['open', 'failed', 'open', 'open'],
  ['open', 'flowed', 'closed', 'closed, on 1'],
  ['open', 'probed', 'half-open', 'half-open'],
  ['open', 'abandoned', 'open', 'open'],
  ['half-open', 'failed', 'open', 'open, cools twice as long'],
  ['half-open', 'flowed', 'closed', 'closed, on 1'],
  ['half-open', 'probed', 'half-open', 'half-open'],
  ['half-open', 'abandoned', 'open', 'open'],
] as const satisfies readonly (readonly [HealthState, HealthEvent['type'], HealthState, string])[];

describe('the health of a source', () => {
  it.each(CELLS)('%s, %s: becomes %s', (state, event, next) => {
    expect(stepHealth(STATES[state], EVENTS[event]).state).toBe(next);
  });

  it('is drawn in the documentation as it is', () => {
    const page = readFileSync(new URL('../../../docs/state-machines.md', import.meta.url), 'utf8');
    for (const state of Object.keys(STATES)) {
      const words = CELLS.filter(([from]) => from === state).map((cell) => cell[3]);
      const row = page.split('\n').find((line) => line.startsWith(`| ${state} `)) ?? '';
      const cells = row.split('|').map((cell) => cell.trim());
      expect(cells.slice(2, -1)).toEqual(words);
    }
  });

  it('bears one break without cooling, and no second', () => {
    const once = stepHealth(HEALTHY, failed('broken'));
    expect(once).toMatchObject({ state: 'closed', budget: 1, failedAtMs: NOW });
    const twice = stepHealth(once, failed('broken', { atMs: NOW + 10 }));
    expect(twice).toMatchObject({ state: 'open', strikes: 1, readyAtMs: NOW + 1010 });
  });

  it('does not get its budget back by a short good spell', () => {
    const back = stepHealth(STATES['half-open'], { type: 'flowed' });
    expect(back).toMatchObject({ state: 'closed', budget: 1, strikes: 2 });
    const again = stepHealth(back, failed('broken', { goodMs: GOOD_SPELL_MS - 1 }));
    expect(again).toMatchObject({ state: 'open', strikes: 3, readyAtMs: NOW + 4000 });
  });

  it('gets it back, and its short cooldown, by a long one', () => {
    const back = stepHealth(STATES['half-open'], { type: 'flowed' });
    const again = stepHealth(back, failed('broken', { goodMs: GOOD_SPELL_MS }));
    expect(again).toMatchObject({ state: 'closed', budget: 1, strikes: 0 });
  });

  it('is not made worse by readers who notice the same failure later', () => {
    expect(stepHealth(OPEN, failed('useless'))).toEqual(OPEN);
  });

  it.each([
    ['unavailable', 1, 1000],
    ['unavailable', 2, 2000],
    ['unavailable', 6, 32_000],
    ['unavailable', 7, 60_000],
    ['unavailable', 500, 60_000],
    ['broken', 1, 1000],
    ['useless', 1, 5000],
    ['useless', 4, 40_000],
    ['useless', 5, 60_000],
  ] as const)('cools after %s, for the %d. time, %d ms', (failure, strikes, expected) => {
    expect(cooldownMs(failure, strikes)).toBe(expected);
  });

  it.each([
    ['closed', NOW, true],
    ['open', NOW + 499, false],
    ['open', NOW + 500, true],
    ['half-open', NOW + 9999, false],
  ] as const)('%s at %d: it may be tried: %s', (state, nowMs, expected) => {
    expect(isReady(STATES[state], nowMs)).toBe(expected);
  });
});
