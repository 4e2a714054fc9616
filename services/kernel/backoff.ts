export type Backoff = {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Growth per attempt: 1 is constant, 2 doubles. */
  readonly factor: number;
  /** Share of the delay that is drawn at random, 0 to 1. */
  readonly jitter: number;
};

/**
 * The delay before another attempt, in milliseconds.
 *
 * @param attempt - Counted from 1: the number of attempts that have failed.
 * @param random - 0 to 1; `Math.random` in production.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number): number {
  const full = Math.min(
    backoff.maxMs,
    backoff.baseMs * backoff.factor ** Math.min(attempt - 1, 64),
  );
  return Math.round(full * (1 - backoff.jitter * random()));
}
