import type { Clock, Timer, Timers } from '#kernel/clock';

type Pending = { readonly dueMs: number; readonly call: () => void };

/** The turns of an event loop: timers that are due fire, late ones together, then sockets are read. */
export class TestLoop implements Clock, Timers {
  #nowMs = 0;
  readonly #pending = new Set<Pending>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  get pendingTimers(): number {
    return this.#pending.size;
  }

  after(delayMs: number, call: () => void): Timer {
    const entry = { dueMs: this.#nowMs + delayMs, call };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** One turn after so long, for which the process did something else. */
  turn(afterMs: number, read: () => void = () => {}): void {
    this.#nowMs += afterMs;
    const due = [...this.#pending].filter(({ dueMs }) => dueMs <= this.#nowMs);
    for (const entry of due.toSorted((a, b) => a.dueMs - b.dueMs)) {
      if (this.#pending.delete(entry)) entry.call();
    }
    read();
  }
}
