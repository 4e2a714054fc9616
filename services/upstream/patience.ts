import type { Timer, Timers } from '#kernel/clock';

/** Ends a wait by a signal, after a time that may turn out to be shorter. */
export class Patience {
  readonly #timers: Timers;
  readonly #late = new AbortController();
  readonly #reason: () => Error;
  #timer: Timer;
  #isShort = false;

  constructor(timers: Timers, waitMs: number, reason: () => Error) {
    this.#timers = timers;
    this.#reason = reason;
    this.#timer = this.#within(waitMs);
  }

  get signal(): AbortSignal {
    return this.#late.signal;
  }

  /** So long from now, the first time. */
  shorten(waitMs: number): void {
    if (this.#isShort) return;
    this.#isShort = true;
    this.#timer.cancel();
    this.#timer = this.#within(waitMs);
  }

  end(): void {
    this.#isShort = true;
    this.#timer.cancel();
  }

  #within(waitMs: number): Timer {
    return this.#timers.after(waitMs, () => this.#late.abort(this.#reason()), { background: true });
  }
}
