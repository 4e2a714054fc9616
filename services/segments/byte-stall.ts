import { UpstreamError } from '#kernel/app-error';
import type { Timer, Timers } from '#kernel/clock';

/** Time runs only while we wait for the source, not while readers are the slow side. */
export class ByteStall {
  readonly #timers: Timers;
  readonly #limitMs: number;
  readonly #stalled: (error: UpstreamError) => void;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(timers: Timers, limitMs: number, stalled: (error: UpstreamError) => void) {
    this.#timers = timers;
    this.#limitMs = limitMs;
    this.#stalled = stalled;
  }

  arm(): void {
    this.disarm();
    if (this.#isOver) return;
    this.#timer = this.#timers.after(this.#limitMs, () =>
      this.#stalled(
        new UpstreamError('UPSTREAM_STALLED', { message: 'The source has stopped sending.' }),
      ),
    );
  }

  disarm(): void {
    this.#timer?.cancel();
  }

  stop(): void {
    this.#isOver = true;
    this.disarm();
  }
}
