import type { Clock } from '#kernel/clock';
import type { RetryPolicy } from '#upstream';

/** One outage as one reader sees it: what it has tried, and since when. */
export class Outage {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #sinceMs: number;
  /** Tries of the same source since the last switch. */
  retries = 0;
  failovers = 0;

  constructor(policy: RetryPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }

  /** How long it may still last. */
  get leftMs(): number {
    const { outageLimitMs } = this.#policy;
    return outageLimitMs === 0 ? Infinity : Math.max(0, outageLimitMs - this.elapsedMs);
  }

  switched(): void {
    this.failovers += 1;
    this.retries = 0;
  }
}
