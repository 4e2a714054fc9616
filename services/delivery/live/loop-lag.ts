import type { Clock, Timer, Timers } from '#kernel/clock';

const TICK_MS = 20;
/** Timers are never quite on time. */
const LATE_MS = 10;

/**
 * Measures for how long this process was too busy to read its sockets, or was not given the CPU, so
 * that nobody takes that for a silence of somebody else. Ticks only while it is watched.
 */
export class LoopLag {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #lostMs = 0;
  #dueMs = 0;
  #timer: Timer | undefined;
  #watchers = 0;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** All that was lost while somebody watched; never falls. What is being lost now counts. */
  get totalMs(): number {
    return this.#lostMs + (this.#timer === undefined ? 0 : this.#lateMs);
  }

  /** Measures from now on, until the function that it gives is called. That is idempotent. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#arm();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#watchers -= 1;
      if (this.#watchers === 0) this.#disarm();
    };
  }

  get #lateMs(): number {
    const lateMs = this.#clock.monotonicMs() - this.#dueMs;
    return lateMs < LATE_MS ? 0 : lateMs;
  }

  #arm(): void {
    this.#dueMs = this.#clock.monotonicMs() + TICK_MS;
    this.#timer = this.#timers.after(TICK_MS, () => this.#tick(), { background: true });
  }

  #disarm(): void {
    this.#lostMs = this.totalMs;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    this.#lostMs += this.#lateMs;
    this.#arm();
  }
}
