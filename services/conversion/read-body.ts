import { UpstreamError } from '#kernel/app-error';
import type { Timer, Timers } from '#kernel/clock';
import type { UpstreamResponse } from '#upstream';

/** Takes bytes, lent until the promise resolves; at once where none is returned. */
export type TakeBytes = (bytes: Buffer) => Promise<void> | undefined;

export type BodyReading = {
  readonly response: UpstreamResponse;
  readonly take: TakeBytes;
  /** Enough has been taken: the rest is left. */
  readonly isDone: () => boolean;
  /** A body that is silent for this long has stalled. */
  readonly stallMs: number;
  readonly timers: Timers;
};

/**
 * Reads one body to its end and closes the response.
 * @throws UpstreamError as the response, and `UPSTREAM_STALLED`; what `take` throws; the signal's
 *   reason.
 */
export function readBody(reading: BodyReading, signal: AbortSignal): Promise<void> {
  const { response } = reading;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const patience = new Patience(reading, reject);
  const leave = (): void => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  const goOn = (): void => {
    if (reading.isDone()) return resolve();
    patience.arm();
    response.resume();
  };
  const chunk = (bytes: Buffer): boolean => {
    patience.disarm();
    const taken = reading.take(bytes);
    if (taken === undefined) {
      if (reading.isDone()) resolve();
      else patience.arm();
      return true;
    }
    void taken.then(goOn).catch(reject);
    return false;
  };
  patience.arm();
  response.read({ chunk, end: resolve, fail: reject });
  return promise.finally(() => {
    patience.end();
    signal.removeEventListener('abort', leave);
    response.close();
  });
}

/** Runs only while we wait for the source, not while the viewer is the slow side. */
class Patience {
  readonly #reading: BodyReading;
  readonly #lost: (error: UpstreamError) => void;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(reading: BodyReading, lost: (error: UpstreamError) => void) {
    this.#reading = reading;
    this.#lost = lost;
  }

  arm(): void {
    this.disarm();
    const { timers, stallMs } = this.#reading;
    if (!this.#isOver) this.#timer = timers.after(stallMs, () => this.#lost(stalled()));
  }

  disarm(): void {
    this.#timer?.cancel();
  }

  end(): void {
    this.#isOver = true;
    this.disarm();
  }
}

const stalled = (): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', {
    message: 'A segment of the source has stopped coming.',
    details: { stage: 'segment' },
  });
