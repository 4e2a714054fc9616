import type { Clock, Timer, Timers } from '#kernel/clock';

/** A read that brings less than this costs more for what is around it than for its bytes. */
const WORTHWHILE_BYTES = 48 * 1024;
/** No byte waits longer than this in the system's memory, beside what timers are late. */
const REST_MS = 25;
/** The same for a long rest: at 8 Mbit/s a read just is worthwhile. */
const LONG_REST_MS = 45;
/** At first every byte is wanted at once: viewers wait for a picture. */
const EAGER_MS = 2_000;

export type ReadRestOptions = {
  /**
   * Asked at each rest. One viewer alone pays for the source, and there is none to go to if it
   * breaks: that need not be noticed a moment earlier.
   */
  readonly isLong: () => boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The rest is over: read on. */
  readonly over: () => void;
};

/**
 * Lets bytes gather before they are read. A live source sends a little every few milliseconds; read
 * as it comes, each little goes all the way to the viewers, for several times the price. A source
 * that sends fast is read without rest.
 */
export class ReadRest {
  readonly #options: ReadRestOptions;
  readonly #startedAtMs: number;
  #resting: Timer | undefined;
  #isStopped = false;

  constructor(options: ReadRestOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
  }

  /** What to do after a read of so many bytes: nothing (false), or wait until `over` (true). */
  begins(bytes: number): boolean {
    if (this.#isStopped || bytes >= WORTHWHILE_BYTES) return false;
    if (this.#options.clock.monotonicMs() - this.#startedAtMs < EAGER_MS) return false;
    const { isLong, timers, over } = this.#options;
    this.#resting ??= timers.after(isLong() ? LONG_REST_MS : REST_MS, () => {
      this.#resting = undefined;
      over();
    });
    return true;
  }

  /** `over` is not called any more. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#resting?.cancel();
    this.#resting = undefined;
  }
}
