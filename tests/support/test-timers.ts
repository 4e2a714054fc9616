import type { Clock, Timer, Timers } from '#kernel/clock';

type Pending = { readonly dueMs: number; readonly call: () => void };

/** Time that stands still until it is moved, and the timers that are set on it. */
export class TestTimers implements Clock, Timers {
  #nowMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs: number) {
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

  /** Never back. */
  moveTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** Those that are due at that time, in their order. */
  dueBy(untilMs: number): readonly Pending[] {
    return [...this.#pending]
      .filter(({ dueMs }) => dueMs <= untilMs)
      .toSorted((a, b) => a.dueMs - b.dueMs);
  }

  /** Calls one, unless it has been cancelled or called. */
  fire(entry: Pending): void {
    if (this.#pending.delete(entry)) entry.call();
  }
}
