import { backoffMs } from '#kernel/backoff';
import type { FailureClass } from './failure-class.ts';

/**
 * - `closed`: it may be used.
 * - `open`: it cools until `readyAtMs`; from then on one reader may try it.
 * - `half-open`: one reader is trying it; the others wait for what becomes of that.
 */
export type HealthState = 'closed' | 'open' | 'half-open';

/** What is known of one source. Times are of the monotonic clock. */
export type SourceHealth = {
  readonly state: HealthState;
  /** What failures may still cost before the source has to cool. */
  readonly budget: number;
  /** How often it has had to cool since its last long good spell. */
  readonly strikes: number;
  readonly readyAtMs: number;
  readonly failedAtMs: number;
};

export type HealthEvent =
  /** A connection to it failed; `goodMs` is how long media had flowed over that connection. */
  | {
      readonly type: 'failed';
      readonly failure: FailureClass;
      readonly goodMs: number;
      /** It asked to be left in peace for so long. */
      readonly restMs?: number;
      readonly atMs: number;
    }
  /** Media came from it. */
  | { readonly type: 'flowed' }
  /** A reader has taken it on itself to try it. */
  | { readonly type: 'probed' }
  /** That reader has left before anything became of it. */
  | { readonly type: 'abandoned' };

/** Media must flow for this long before what was wrong is forgotten: a short good spell refunds nothing. */
export const GOOD_SPELL_MS = 10_000;

const FULL_BUDGET = 2;
/** What is left to a source that flows again: the next failure of any kind opens it. */
const PROBATION_BUDGET = 1;

const COSTS = {
  broken: 1,
  unavailable: FULL_BUDGET,
  useless: FULL_BUDGET,
} as const satisfies Record<FailureClass, number>;

const FIRST_COOLDOWN_MS = {
  broken: 1000,
  unavailable: 1000,
  useless: 5000, // Asked again at once it would say the same.
} as const satisfies Record<FailureClass, number>;

const MAX_COOLDOWN_MS = 60_000;

export const HEALTHY: SourceHealth = {
  state: 'closed',
  budget: FULL_BUDGET,
  strikes: 0,
  readyAtMs: -Infinity,
  failedAtMs: -Infinity,
};

/** How long a source cools that has had to for the `strikes`-th time, in milliseconds. */
export const cooldownMs = (failure: FailureClass, strikes: number): number =>
  backoffMs(
    { baseMs: FIRST_COOLDOWN_MS[failure], maxMs: MAX_COOLDOWN_MS, factor: 2, jitter: 0 },
    strikes,
    () => 0,
  );

type Failed = Extract<HealthEvent, { type: 'failed' }>;
type Rule = (health: SourceHealth, event: HealthEvent) => SourceHealth;

const same: Rule = (health) => health;
const close: Rule = (health) => ({ ...health, state: 'closed', budget: PROBATION_BUDGET });
const spend: Rule = (health, event) => {
  const { failure, atMs } = event as Failed;
  const budget = health.budget - COSTS[failure];
  if (budget > 0) return { ...health, budget, failedAtMs: atMs };
  return cool(health, event);
};
const cool: Rule = (health, event) => {
  const { failure, atMs, restMs = 0 } = event as Failed;
  const strikes = health.strikes + 1;
  const readyAtMs = atMs + Math.max(restMs, cooldownMs(failure, strikes));
  return { state: 'open', budget: 0, strikes, readyAtMs, failedAtMs: atMs };
};

/** One row per state, one cell per event; `docs/state-machines.md` says it in words. */
const RULES: Record<HealthState, Record<HealthEvent['type'], Rule>> = {
  closed: { failed: spend, flowed: same, probed: same, abandoned: same },
  // Who still read from it when it was opened tells nothing new by failing too.
  open: {
    failed: same,
    flowed: close,
    probed: (health) => ({ ...health, state: 'half-open' }),
    abandoned: same,
  },
  'half-open': {
    failed: cool,
    flowed: close,
    probed: same,
    abandoned: (health) => ({ ...health, state: 'open' }),
  },
};

/** What becomes of a source's health by an event; a failure after a long good spell is its first. */
export function stepHealth(health: SourceHealth, event: HealthEvent): SourceHealth {
  const isRefunded = event.type === 'failed' && event.goodMs >= GOOD_SPELL_MS;
  const before = isRefunded ? HEALTHY : health;
  return RULES[before.state][event.type](before, event);
}

/** Whether a source may be tried now by a reader that has a choice. */
export const isReady = ({ state, readyAtMs }: SourceHealth, nowMs: number): boolean =>
  state === 'closed' || (state === 'open' && nowMs >= readyAtMs);
