import { backoffMs } from '#kernel/backoff';
import { isFinal } from './diagnosis.ts';
import type { RunFailure } from './diagnosis.ts';

export type RestartFacts = {
  readonly failure: RunFailure;
  /** When runs of this outage failed, in milliseconds; this one included. */
  readonly failedAtMs: readonly number[];
  readonly nowMs: number;
};

export type RestartDecision =
  { readonly action: 'restart'; readonly delayMs: number } | { readonly action: 'give-up' };

/** So many failed runs within this time are too many. */
const MOST_FAILURES = 5;
export const FAILURE_WINDOW_MS = 60_000;
const BACKOFF = { baseMs: 500, maxMs: 8_000, factor: 2, jitter: 0.2 };

/**
 * Whether a run that failed is replaced. Its budget is a window of time: a run that was good for a
 * while does not win back what was used up within it. The first replacement comes at once.
 */
export function decideRestart(
  { failure, failedAtMs, nowMs }: RestartFacts,
  random: () => number,
): RestartDecision {
  const recent = failedAtMs.filter((atMs) => nowMs - atMs <= FAILURE_WINDOW_MS).length;
  if (isFinal(failure) || recent >= MOST_FAILURES) return { action: 'give-up' };
  return { action: 'restart', delayMs: recent <= 1 ? 0 : backoffMs(BACKOFF, recent - 1, random) };
}
