import { TestTimers } from './test-timers.ts';

/** Time that stands still until a test moves it. Timers fire in order, with their own time. */
export class TestClock extends TestTimers {
  constructor(startMs = 1_700_000_000_000) {
    super(startMs);
  }

  /** Moves time on; every timer that falls due is called, and what it starts settles. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.nowMs() + byMs;
    await settle();
    for (let [next] = this.dueBy(untilMs); next; [next] = this.dueBy(untilMs)) {
      this.moveTo(next.dueMs);
      this.fire(next);
      await settle();
    }
    this.moveTo(untilMs);
  }
}

/** Lets every promise that can settle do so. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
