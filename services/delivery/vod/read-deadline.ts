import type { Clock, Timer, Timers } from '#kernel/clock';

export type ReadDeadlineOptions = {
  readonly limitMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called once. */
  readonly expired: () => void;
};

/**
 * Notices a source that sends nothing while somebody waits for it. A viewer that is the slow side
 * pauses it, for hours if need be.
 */
export class ReadDeadline {
  readonly #options: ReadDeadlineOptions;
  #heardAtMs = 0;
  #timer: Timer | undefined;

  constructor(options: ReadDeadlineOptions) {
    this.#options = options;
    this.resume();
  }

  /** Bytes came. Only takes the time: the timer, which is dear, looks at it when it is due. */
  heard(): void {
    this.#heardAtMs = this.#options.clock.monotonicMs();
  }

  pause(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  resume(): void {
    this.heard();
    this.#timer?.cancel();
    this.#arm(this.#options.limitMs);
  }

  #arm(delayMs: number): void {
    this.#timer = this.#options.timers.after(delayMs, () => this.#due());
  }

  #due(): void {
    const { clock, limitMs, expired } = this.#options;
    const leftMs = this.#heardAtMs + limitMs - clock.monotonicMs();
    this.#timer = undefined;
    if (leftMs > 0) this.#arm(Math.ceil(leftMs));
    else expired();
  }
}
