import type { Clock, Timer, Timers } from '#kernel/clock';

type Pending = { readonly dueMs: number; readonly call: () => void };

/** Time that stands still until a test moves it. Timers fire in order, with their own time. */
export class TestClock implements Clock, Timers {
  #nowMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Timers that are set: what has been closed properly leaves none. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  after(delayMs: number, call: () => void): Timer {
    const entry: Pending = { dueMs: this.#nowMs + delayMs, call };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** Moves time on; every timer that falls due is called, and what it starts settles. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (let next = this.#nextDue(untilMs); next; next = this.#nextDue(untilMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.call();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #nextDue(untilMs: number): Pending | undefined {
    return [...this.#pending]
      .filter((entry) => entry.dueMs <= untilMs)
      .toSorted((a, b) => a.dueMs - b.dueMs)[0];
  }
}

/** Lets every promise that can settle do so. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
