import type { Timer, Timers } from '#kernel/clock';
import type { ViewerSink } from './relay.ts';
import type { TokenBucket } from './token-bucket.ts';

export type ThrottledSinkOptions = {
  readonly sink: ViewerSink;
  readonly bucket: TokenBucket;
  readonly timers: Timers;
};

type Entry = { bytes: Buffer; readonly flushed: () => void };

const ignore = (): void => {};

/** Hands bytes on at a limited rate, large ones in slices. Copies nothing. Owns one timer. */
export class ThrottledSink implements ViewerSink {
  readonly #options: ThrottledSinkOptions;
  readonly #queue: Entry[] = [];
  #queuedBytes = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: ThrottledSinkOptions) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#queuedBytes + this.#options.sink.pendingBytes;
  }

  write(parts: readonly Buffer[], flushed: () => void = ignore): void {
    if (this.#isClosed) return flushed();
    for (const [at, bytes] of parts.entries()) {
      this.#queue.push({ bytes, flushed: at === parts.length - 1 ? flushed : ignore });
      this.#queuedBytes += bytes.length;
    }
    if (this.#timer === undefined) this.#send();
  }

  /** Drops what waits; its memory is told to be free. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#queuedBytes = 0;
    for (const { flushed } of this.#queue.splice(0)) flushed();
  }

  #send(): void {
    const { bucket, timers } = this.#options;
    this.#timer = undefined;
    for (let entry = this.#queue[0]; entry !== undefined; entry = this.#queue[0]) {
      const slice = entry.bytes.subarray(0, bucket.sliceBytes);
      const waitMs = bucket.take(slice.length);
      if (waitMs > 0) {
        this.#timer = timers.after(Math.ceil(waitMs), () => this.#send());
        return;
      }
      this.#handOn(entry, slice);
    }
  }

  #handOn(entry: Entry, slice: Buffer): void {
    const isLast = slice.length === entry.bytes.length;
    entry.bytes = entry.bytes.subarray(slice.length);
    this.#queuedBytes -= slice.length;
    if (isLast) this.#queue.shift();
    this.#options.sink.write([slice], isLast ? entry.flushed : ignore);
  }
}
