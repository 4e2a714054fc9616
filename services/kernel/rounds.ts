import type { Timer, Timers } from './clock.ts';

export type RoundsOptions = {
  readonly timers: Timers;
  /** From the end of one round to the beginning of the next. */
  readonly intervalMs: number;
  readonly round: () => Promise<void>;
  /** A round has thrown. `isNew`: the one before had not. */
  readonly failed: (error: unknown, isNew: boolean) => void;
};

/** The same work again and again, one round at a time, whether rounds fail or not. */
export class Rounds {
  readonly #options: RoundsOptions;
  #next: Timer | undefined;
  #turning: Promise<void>;
  #isTroubled = false;
  #isClosed = false;

  /** Starts at once. */
  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#turning = this.#turn();
  }

  /** Waits for the round that is under way. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#next?.cancel();
    await this.#turning;
  }

  async #turn(): Promise<void> {
    const { timers, intervalMs, round, failed } = this.#options;
    try {
      await round();
      this.#isTroubled = false;
    } catch (error) {
      failed(error, !this.#isTroubled);
      this.#isTroubled = true;
    }
    if (this.#isClosed) return;
    this.#next = timers.after(intervalMs, () => {
      this.#turning = this.#turn();
    });
  }
}
