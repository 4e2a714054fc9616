import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import { decide, endless, isAtCapacity, pauseMs } from '#upstream';
import type { Decision, OutageFacts, RetryPolicy } from '#upstream';

/** What an outage does not know by itself. */
type Facts = Omit<OutageFacts, 'retries' | 'failovers' | 'failoversSinceMedia' | 'elapsedMs'>;

/** One outage as one reader sees it: what it has tried, and since when. */
export class Outage {
  readonly #clock: Clock;
  readonly #sinceMs: number;
  #policy: RetryPolicy;
  /** For so long media came meanwhile, if not for long enough to end the outage. */
  #flowedMs = 0;
  #flowingSinceMs: number | undefined;
  #failoversSinceMedia = 0;
  #atCapacity: AppError | undefined;
  /** Tries of the same source since the last switch. */
  retries = 0;
  failovers = 0;

  constructor(policy: RetryPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** How long it may still last. */
  get leftMs(): number {
    const { outageLimitMs } = this.#policy;
    return outageLimitMs === 0 ? Infinity : Math.max(0, outageLimitMs - this.#elapsedMs);
  }

  /** No more switches than these are allowed, or it has lasted too long. */
  get isLimited(): boolean {
    return this.#policy.maxFailovers > 0 || this.leftMs <= 0;
  }

  /** Before the source in use is tried again, when nobody names another. */
  get pauseMs(): number {
    return pauseMs(this.#policy, 1);
  }

  /** After a failure. */
  decide(facts: Facts): Decision {
    this.#dry();
    const { retries, failovers } = this;
    const tries = { retries, failovers, failoversSinceMedia: this.#failoversSinceMedia };
    return decide(this.#policy, { ...facts, ...tries, elapsedMs: this.#elapsedMs });
  }

  /** From now on tries go on without end, and grow rarer. */
  holdOut(): void {
    this.#policy = endless(this.#policy);
  }

  /** A source did not work. */
  met(error: AppError): void {
    if (isAtCapacity(error)) this.#atCapacity = error;
  }

  /** Media comes: while it does, the viewer misses nothing. */
  flowing(): void {
    this.#flowingSinceMs ??= this.#clock.monotonicMs();
    this.#failoversSinceMedia = 0;
    this.#atCapacity = undefined;
  }

  switched(): void {
    this.#dry();
    this.failovers += 1;
    this.#failoversSinceMedia += 1;
    this.retries = 0;
  }

  /** What to tell viewers when tries are given up. */
  failureOf(error: AppError): AppError {
    // That somebody else watches passes: it is worth asking again, whatever the others said.
    if (this.#atCapacity !== undefined) return this.#atCapacity;
    if (this.failovers === 0) return error; // The one source that there is: its own failure says most.
    return new UpstreamError('ALL_SOURCES_FAILED', {
      message: 'Every source of this stream failed.',
      details: { sources: this.failovers + 1, last: error.code },
      cause: error,
    });
  }

  /** Media comes no longer. Harmless when it did not. */
  #dry(): void {
    if (this.#flowingSinceMs === undefined) return;
    this.#flowedMs += this.#clock.monotonicMs() - this.#flowingSinceMs;
    this.#flowingSinceMs = undefined;
  }

  /** Without media. */
  get #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs - this.#flowedMs;
  }
}
