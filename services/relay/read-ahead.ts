import type { Timer, Timers } from '#kernel/clock';
import type { ViewerSink } from './relay.ts';

/** A viewer waits no longer than this for the buffer to fill. */
const FILL_DEADLINE_MS = 5_000;

export type ReadAheadOptions = {
  readonly sink: ViewerSink;
  /** Most that is kept; a single piece that is larger is kept nevertheless. */
  readonly capacityBytes: number;
  /** What there must be before the first byte is handed on; at most the capacity counts. */
  readonly fillBytes: number;
  readonly timers: Timers;
};

type Waiting = { readonly bytes: Buffer; readonly flushed: () => void };

const ignore = (): void => {};

/**
 * Takes bytes as fast as they come, up to a bound, and hands them on as fast as the viewer takes
 * them. Copies what it takes: memory of the source is free again at once, until the bound is met.
 */
export class ReadAhead implements ViewerSink {
  readonly #options: ReadAheadOptions;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  /** What has no room yet, in lent memory: one piece of each source that was read. */
  readonly #waiting: Waiting[] = [];
  #isSending = false;
  #filling: Timer | undefined;
  #isFilling: boolean;
  #isClosed = false;

  constructor(options: ReadAheadOptions) {
    this.#options = options;
    this.#isFilling = options.fillBytes > 0;
    if (this.#isFilling) {
      this.#filling = options.timers.after(FILL_DEADLINE_MS, () => this.startNow());
    }
  }

  /** Bytes that wait for room: 0 means that the source may go on. */
  get pendingBytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Bytes that are kept. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  write(parts: readonly Buffer[], flushed: () => void = ignore): void {
    if (this.#isClosed) return flushed();
    for (const [at, bytes] of parts.entries()) {
      this.#waiting.push({ bytes, flushed: at === parts.length - 1 ? flushed : ignore });
    }
    this.#admit();
  }

  /** Waits no longer for the buffer to fill: all that there is has come, or time is up. */
  startNow(): void {
    this.#filling?.cancel();
    this.#isFilling = false;
    this.#send();
  }

  /** Forgets what is kept. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#filling?.cancel();
    this.#kept.length = 0;
    this.#keptBytes = 0;
    for (const { flushed } of this.#waiting.splice(0)) flushed();
  }

  #admit(): void {
    const free: Waiting[] = [];
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#hasRoomFor(next.bytes)) break;
      this.#kept.push(Buffer.from(next.bytes));
      this.#keptBytes += next.bytes.length;
      this.#waiting.shift();
      free.push(next);
    }
    const isFilled = this.#waiting.length > 0 || this.#keptBytes >= this.#options.fillBytes;
    if (this.#isFilling && isFilled) this.startNow();
    else this.#send();
    for (const { flushed } of free) flushed();
  }

  #hasRoomFor({ length }: Buffer): boolean {
    return this.#keptBytes === 0 || this.#keptBytes + length <= this.#options.capacityBytes;
  }

  #send(): void {
    if (this.#isFilling || this.#isSending) return;
    const next = this.#kept.shift();
    if (next === undefined) return;
    this.#isSending = true;
    this.#options.sink.write([next], () => this.#sent(next.length));
  }

  #sent(bytes: number): void {
    if (this.#isClosed) return;
    this.#isSending = false;
    this.#keptBytes -= bytes;
    this.#admit();
    this.#send();
  }
}
