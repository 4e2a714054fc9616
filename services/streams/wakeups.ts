import type { Timers } from '#kernel/clock';

/** Those who wait for something to change, or for a time to pass. */
export class Wakeups {
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Something has changed: who waits looks again. */
  wake(): void {
    for (const look of this.#waiting) look();
  }

  /**
   * Resolves at the next `wake`, or after `atMostMs`.
   * @throws the signal's reason when it aborts first.
   */
  wait(atMostMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settle = (done: () => void): void => {
        timer.cancel();
        this.#waiting.delete(wakened);
        signal.removeEventListener('abort', left);
        done();
      };
      const wakened = (): void => settle(resolve);
      const left = (): void => settle(() => reject(signal.reason));
      const timer = this.#timers.after(atMostMs, wakened);
      this.#waiting.add(wakened);
      signal.addEventListener('abort', left, { once: true });
    });
  }
}
