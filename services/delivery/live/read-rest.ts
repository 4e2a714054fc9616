import type { Clock, Timer, Timers } from '#kernel/clock';

/** A read that brings less than this costs more for what is around it than for its bytes. */
const WORTHWHILE_BYTES = 48 * 1024;
/** No byte waits longer than this in the system's memory, beside what timers are late. */
const REST_MS = 25;
/** At first every byte is wanted at once: viewers wait for a picture. */
const EAGER_MS = 2_000;

export type ReadRestOptions = {
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
    this.#resting ??= this.#options.timers.after(REST_MS, () => {
      this.#resting = undefined;
      this.#options.over();
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
