import type { ServerResponse } from 'node:http';
import type { Clock, Timers } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import { ReadAhead, ThrottledSink, TokenBucket } from '#relay';
import type { ViewerSink } from '#relay';

/** How files are paced; 0 turns each off. */
export type FilePacing = {
  /** Most that one response may take. */
  readonly throttleBytesPerSecond: number;
  /** How far the source is read ahead of the viewer. */
  readonly bufferBytes: number;
  /** How much of that there must be before the first byte is sent. */
  readonly fillBytes: number;
};

export const UNPACED: FilePacing = { throttleBytesPerSecond: 0, bufferBytes: 0, fillBytes: 0 };

export type FileOutletOptions = {
  readonly response: ServerResponse;
  readonly pacing: FilePacing;
  /** Bytes went to the response. */
  readonly served: (bytes: number) => void;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** The way of a file's bytes to its response: read ahead, throttled, or straight. */
export class FileOutlet {
  readonly #sink: ViewerSink;
  readonly #throttle: ThrottledSink | undefined;
  readonly #ahead: ReadAhead | undefined;
  readonly #emptied = Promise.withResolvers<void>();
  #writes = 0;
  /** Taken and not handed to the response yet. */
  #onTheWayBytes = 0;
  #isAll = false;

  constructor({ response, pacing, served, clock, timers }: FileOutletOptions) {
    const { throttleBytesPerSecond: rate, bufferBytes, fillBytes } = pacing;
    let sink: ViewerSink = responseSink(response, (bytes) => {
      served(bytes);
      this.#handed(bytes);
    });
    if (rate > 0) {
      const bucket = new TokenBucket(rate, clock);
      sink = this.#throttle = new ThrottledSink({ sink, bucket, timers });
    }
    if (bufferBytes > 0) {
      const capacityBytes = bufferBytes;
      sink = this.#ahead = new ReadAhead({ sink, capacityBytes, fillBytes, timers });
    }
    this.#sink = sink;
  }

  /**
   * Takes the next bytes.
   * @returns true when their memory is free again; otherwise `freed` is called when it is.
   */
  write(bytes: Buffer, freed: () => void): boolean {
    this.#onTheWayBytes += bytes.length;
    this.#writes += 1;
    const write = this.#writes;
    let isFree = false;
    let hasReturned = false;
    this.#sink.write([bytes], () => {
      isFree = true;
      // An earlier write's callback may come late, when memory of a later one is still lent.
      if (hasReturned && write === this.#writes) freed();
    });
    hasReturned = true;
    return isFree || this.#sink.pendingBytes === 0;
  }

  /**
   * No more will be written: resolves when the response has all of it.
   * @throws the signal's reason when it aborts first.
   */
  async finish(signal: AbortSignal): Promise<void> {
    this.#isAll = true;
    this.#ahead?.startNow();
    if (this.#onTheWayBytes > 0) await orAbort(this.#emptied.promise, signal);
  }

  /** Forgets what is on the way. Idempotent. */
  close(): void {
    this.#ahead?.close();
    this.#throttle?.close();
  }

  #handed(bytes: number): void {
    this.#onTheWayBytes -= bytes;
    if (this.#isAll && this.#onTheWayBytes === 0) this.#emptied.resolve();
  }
}

const responseSink = (response: ServerResponse, handed: (bytes: number) => void): ViewerSink => ({
  get pendingBytes() {
    return response.writableLength;
  },
  write(parts, flushed) {
    for (const [at, part] of parts.entries()) {
      response.write(part, () => at === parts.length - 1 && flushed?.());
      handed(part.length);
    }
    // Node corks a response until the next tick; sent at once, the memory is mostly free again.
    response.socket?.uncork();
  },
});
