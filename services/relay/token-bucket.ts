import type { Clock } from '#kernel/clock';

/** What a viewer has not used for so long is made up for later, in a burst; no more than this. */
const BURST_SECONDS = 2;
/** Bytes of so much time go at once: smaller pieces cost more, larger ones come in jerks. */
const SLICE_SECONDS = 0.05;
const MOST_SLICE_BYTES = 64 * 1024;

/**
 * Says how many bytes may go now. Tokens come at the rate and are kept for a while, so that time in
 * which there was nothing to send is not lost. Begins with one slice, not with a burst.
 */
export class TokenBucket {
  readonly #bytesPerMs: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly sliceBytes: number;
  #tokens: number;
  #countedAtMs: number;

  /** @param bytesPerSecond - Above 0. */
  constructor(bytesPerSecond: number, clock: Clock) {
    const slice = Math.min(MOST_SLICE_BYTES, bytesPerSecond * SLICE_SECONDS);
    this.sliceBytes = Math.max(1, Math.round(slice));
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#capacity = Math.max(this.sliceBytes, bytesPerSecond * BURST_SECONDS);
    this.#clock = clock;
    this.#tokens = this.sliceBytes;
    this.#countedAtMs = clock.monotonicMs();
  }

  /**
   * Takes tokens for so many bytes, at most a slice.
   * @returns 0 when they may go now; otherwise nothing was taken, and how long to wait in ms.
   */
  take(bytes: number): number {
    this.#count();
    // A sum of many parts may miss a whole byte by less than one.
    if (this.#tokens + ROUNDING >= bytes) {
      this.#tokens -= bytes;
      return 0;
    }
    return (bytes - this.#tokens) / this.#bytesPerMs;
  }

  #count(): void {
    const nowMs = this.#clock.monotonicMs();
    const fresh = (nowMs - this.#countedAtMs) * this.#bytesPerMs;
    this.#countedAtMs = nowMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + fresh);
  }
}

const ROUNDING = 1e-6;
