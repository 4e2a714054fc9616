/** What time it is. `nowMs` is epoch time; `monotonicMs` never steps back and measures spans. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}

/** A timer that has been set; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Timers by the constructor, so that a test can rule them. */
export interface Timers {
  /** Calls once after `delayMs`. With `background` it does not keep the process alive. */
  after(delayMs: number, call: () => void, options?: { readonly background?: boolean }): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const systemTimers: Timers = {
  after(delayMs, call, { background = false } = {}) {
    const handle = setTimeout(call, delayMs);
    if (background) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Waits on `timers`; rejects with the signal's reason when it aborts first. */
export function sleep(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = timers.after(delayMs, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    signal.addEventListener('abort', leave, { once: true });
  });
}
