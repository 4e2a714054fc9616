import type { Clock, Timer, Timers } from '#kernel/clock';

export type StallWatchOptions = {
  readonly limitMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stalled: () => void;
  /** Half of the limit has passed in silence, or the silence is over. */
  readonly suspected: (isSuspected: boolean) => void;
};

/**
 * Notices a source that sends nothing. Costs one assignment per chunk: a timer looks at the time
 * of the last one now and then. While we ourselves do not read, nothing is held against the source.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #lastMs: number;
  #isPaused = false;
  #isSuspected = false;
  #timer: Timer;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#lastMs = options.clock.monotonicMs();
    this.#timer = this.#arm(options.limitMs / 2);
  }

  /** When something was heard last. */
  get lastMs(): number {
    return this.#lastMs;
  }

  heard(): void {
    this.#lastMs = this.#options.clock.monotonicMs();
    if (this.#isSuspected) this.#suspect(false);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.heard();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #arm(delayMs: number): Timer {
    return this.#options.timers.after(Math.max(1, delayMs), () => this.#look());
  }

  #look(): void {
    const { clock, limitMs, stalled } = this.#options;
    const silentMs = this.#isPaused ? 0 : clock.monotonicMs() - this.#lastMs;
    if (silentMs >= limitMs) return stalled();
    const isHalfOver = silentMs >= limitMs / 2;
    this.#timer = this.#arm((isHalfOver ? limitMs : limitMs / 2) - silentMs);
    if (isHalfOver !== this.#isSuspected) this.#suspect(isHalfOver);
  }

  #suspect(isSuspected: boolean): void {
    this.#isSuspected = isSuspected;
    this.#options.suspected(isSuspected);
  }
}
