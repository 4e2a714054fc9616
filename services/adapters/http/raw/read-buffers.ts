/** Enough for a live channel; 500 of them take 32 MB. */
export const SMALL_BYTES = 64 * 1024;
/** Costs half the CPU per byte where bytes come faster than anybody watches. */
export const LARGE_BYTES = 1024 * 1024;
const MAX_LARGE = 16;
const MAX_SPARE_SMALL = 64;

/** How many bytes make a measurement, and when their pace calls for the other size. */
const SAMPLE_BYTES = 4 * 1024 * 1024;
const FAST_SAMPLE_MS = 160; // 25 MB/s
const SLOW_SAMPLE_MS = 800; // 5 MB/s

/** The memory that sockets read into: small for each connection, large for a few fast ones. */
export class ReadBuffers {
  readonly #small: Buffer[] = [];
  readonly #large: Buffer[] = [];
  #largeInUse = 0;

  /** For one connection, which releases it when it closes. */
  lease(): ReadBuffer {
    return new ReadBuffer(this);
  }

  takeSmall(): Buffer {
    return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
  }

  takeLarge(): Buffer | undefined {
    if (this.#largeInUse === MAX_LARGE) return undefined;
    this.#largeInUse += 1;
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
  }

  /** @param isLent - Somebody still reads from it: it is left to the garbage collector. */
  giveBack(buffer: Buffer, isLent: boolean): void {
    const isLarge = buffer.length === LARGE_BYTES;
    if (isLarge) this.#largeInUse -= 1;
    if (isLent) return;
    if (isLarge) this.#large.push(buffer);
    else if (this.#small.length < MAX_SPARE_SMALL) this.#small.push(buffer);
  }
}

/** The buffer of one connection; grows while bytes come fast, shrinks when they do not. */
export class ReadBuffer {
  readonly #pool: ReadBuffers;
  #current: Buffer;
  #sampleBytes = 0;
  #sampleStartMs = performance.now();
  #isReleased = false;

  constructor(pool: ReadBuffers) {
    this.#pool = pool;
    this.#current = pool.takeSmall();
  }

  get current(): Buffer {
    return this.#current;
  }

  /** Counts one read whose memory is free again, and chooses the buffer for the next. */
  used(count: number): void {
    this.#sampleBytes += count;
    if (this.#sampleBytes < SAMPLE_BYTES) return;
    const nowMs = performance.now();
    const tookMs = nowMs - this.#sampleStartMs;
    this.#sampleBytes = 0;
    this.#sampleStartMs = nowMs;
    const isLarge = this.#current.length === LARGE_BYTES;
    if (!isLarge && tookMs < FAST_SAMPLE_MS) this.#swap(this.#pool.takeLarge());
    if (isLarge && tookMs > SLOW_SAMPLE_MS) this.#swap(this.#pool.takeSmall());
  }

  #swap(next: Buffer | undefined): void {
    if (next === undefined || this.#isReleased) return;
    this.#pool.giveBack(this.#current, false);
    this.#current = next;
  }

  /** Idempotent. */
  release(isLent: boolean): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#pool.giveBack(this.#current, isLent);
  }
}
