import { TestTimers } from './test-timers.ts';

/** The turns of an event loop: timers that are due fire, late ones together, then sockets are read. */
export class TestLoop extends TestTimers {
  constructor() {
    super(0);
  }

  /** One turn after so long, for which the process did something else. */
  turn(afterMs: number, read: () => void = () => {}): void {
    this.moveTo(this.nowMs() + afterMs);
    for (const entry of this.dueBy(this.nowMs())) this.fire(entry);
    read();
  }
}
