import type { Timer, Timers } from '#kernel/clock';
import { PACKET_BYTES } from './packet-aligner.ts';

/** Where one viewer's bytes go. */
export interface ViewerSink {
  /** Hands bytes over; they stay untouched until `flushed`, which is called also on failure. */
  write(bytes: Buffer, flushed: () => void): void;
  /** Bytes handed over and not yet taken by the network. */
  readonly pendingBytes: number;
}

export type RelayOptions = {
  /**
   * `true`: one viewer that gets every byte; a slow one slows its own source. `false`: many
   * viewers; none slows the source or another, and a slow one skips.
   */
  readonly isLossless: boolean;
  /** How far a viewer may fall behind before it skips, in bytes. */
  readonly budgetBytes: number;
  readonly timers: Timers;
  /** The source may go on after `push` said false. */
  readonly resume: () => void;
  /** Bytes went to `sink`. */
  readonly served: (sink: ViewerSink, bytes: number) => void;
};

/** Whole packets near 64 KiB: a write costs the same for 1 KiB as for this (docs/benchmarks.md). */
const BATCH_BYTES = 348 * PACKET_BYTES;
/** No byte waits longer than this for its batch to fill. */
const BATCH_MS = 50;

type Viewer = { readonly sink: ViewerSink; isSkipping: boolean };

/**
 * Fans one source's bytes out. Until the first viewers attach, the first bytes are held and the
 * source waits. Lossless relays hand bytes on as they come, without a copy; others copy each byte
 * once, into batches that all viewers share.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #viewers = new Map<ViewerSink, Viewer>();
  #held: Buffer[] | undefined = [];
  #batch = Buffer.alloc(0);
  #batchBytes = 0;
  #batchTimer: Timer | undefined;
  #gathering: Timer | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /**
   * Who comes before the source goes on gets what was held: the first viewer, and of a shared
   * stream all who waited with it. Later ones begin with the next batch.
   */
  attach(sink: ViewerSink): void {
    this.#viewers.set(sink, { sink, isSkipping: false });
    if (this.#held === undefined) return;
    this.#write(sink, Buffer.concat(this.#held), () => {});
    if (this.#options.isLossless) this.#release();
    else this.#gathering ??= this.#options.timers.after(BATCH_MS, () => this.#release());
  }

  detach(sink: ViewerSink): void {
    this.#viewers.delete(sink);
  }

  get sinks(): readonly ViewerSink[] {
    return [...this.#viewers.keys()];
  }

  /**
   * Takes the next bytes, whole packets where the source has packets.
   * @returns false when the source must wait for `resume`; the memory is ours until then.
   */
  push(parts: readonly Buffer[]): boolean {
    if (this.#held !== undefined) {
      this.#held.push(...parts.map((part) => Buffer.from(part)));
      return this.#held.length === 0;
    }
    if (this.#options.isLossless) return this.#pass(parts);
    for (const part of parts) this.#collect(part);
    return true;
  }

  /** Sends what waits for its batch to fill. */
  flush(): void {
    this.#batchTimer?.cancel();
    this.#batchTimer = undefined;
    if (this.#batchBytes === 0) return;
    const batch = this.#batch.subarray(0, this.#batchBytes);
    this.#batchBytes = 0;
    for (const viewer of this.#viewers.values()) this.#offer(viewer, batch);
    this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  }

  close(): void {
    this.#gathering?.cancel();
    this.#batchTimer?.cancel();
    this.#viewers.clear();
  }

  #release(): void {
    this.#held = undefined;
    this.#options.resume();
  }

  #pass(parts: readonly Buffer[]): boolean {
    const [sink] = this.#viewers.keys();
    if (sink === undefined) return true;
    let unflushed = 0;
    let isBlocked = false;
    const flushed = (): void => {
      unflushed -= 1;
      if (isBlocked && unflushed === 0) this.#options.resume();
    };
    for (const part of parts) {
      unflushed += 1;
      this.#write(sink, part, flushed);
    }
    isBlocked = sink.pendingBytes > 0 && unflushed > 0;
    return !isBlocked;
  }

  #collect(part: Buffer): void {
    let taken = 0;
    while (taken < part.length) {
      if (this.#batch.length === 0) this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
      const copied = part.copy(this.#batch, this.#batchBytes, taken);
      taken += copied;
      this.#batchBytes += copied;
      if (this.#batchBytes === BATCH_BYTES) this.flush();
    }
    if (this.#batchBytes > 0) {
      this.#batchTimer ??= this.#options.timers.after(BATCH_MS, () => this.flush());
    }
  }

  /** A viewer beyond its budget gets nothing until most of its backlog is gone. */
  #offer(viewer: Viewer, batch: Buffer): void {
    const { budgetBytes } = this.#options;
    const { pendingBytes } = viewer.sink;
    if (viewer.isSkipping && pendingBytes > budgetBytes / 4) return;
    viewer.isSkipping = pendingBytes + batch.length > budgetBytes;
    if (!viewer.isSkipping) this.#write(viewer.sink, batch, () => {});
  }

  #write(sink: ViewerSink, bytes: Buffer, flushed: () => void): void {
    if (bytes.length === 0) return flushed();
    sink.write(bytes, flushed);
    this.#options.served(sink, bytes.length);
  }
}
