import type { Clock, Timer, Timers } from '#kernel/clock';
import { JoinRing, joinsFrom } from './join-ring.ts';
import type { JoinPoint } from './join-ring.ts';

/** Where one viewer's bytes go. */
export interface ViewerSink {
  /**
   * Hands bytes over, all parts in one go. They stay untouched until `flushed`, which is called also
   * on failure; for good where it is absent.
   */
  write(parts: readonly Buffer[], flushed?: () => void): void;
  /** Bytes handed over and not yet taken by the network. */
  readonly pendingBytes: number;
}

/** The next bytes of a source. */
export type RelayInput = {
  /** Whole packets where the source has packets; may be lent memory. */
  readonly parts: readonly Buffer[];
  /** The keyframes that begin in it; where, in bytes counted over all parts. */
  readonly joins: readonly JoinPoint[];
  /** Where the stream's own time stands after them; our clock's, where it is absent. */
  readonly mediaMs?: number;
};

export type RelayOptions = {
  /**
   * `true`: one viewer that gets every byte; a slow one slows its own source. `false`: many
   * viewers; none slows the source or another, and a slow one skips.
   */
  readonly isLossless: boolean;
  /** How far a viewer may fall behind before it skips, in bytes. */
  readonly budgetBytes: number;
  /** How much of the past a joiner gets beyond the last keyframe; nothing, when absent. */
  readonly burstMs?: number;
  /** How long a viewer may take nothing at all before it is dropped. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The source may go on after `push` said false. */
  readonly resume: () => void;
  /** Bytes went to `sink`. */
  readonly served: (sink: ViewerSink, bytes: number) => void;
  /** The viewer has taken nothing for too long; it is detached already. */
  readonly dropped: (sink: ViewerSink) => void;
};

/** Whole packets near 64 KiB: a write costs the same for 1 KiB as for this (docs/benchmarks.md). */
const BATCH_BYTES = 348 * 188;
/** Several seconds of a rich channel; a group of pictures beyond that and the budget is not kept. */
const MOST_BYTES = 8 * 1024 * 1024;
/** No byte waits longer than this for its batch to fill: at 8 Mbit/s it just does. */
const BATCH_MS = 75;

type Viewer = {
  readonly sink: ViewerSink;
  isSkipping: boolean;
  /** When its network was last seen to have taken something, or to have nothing to take. */
  tookAtMs: number;
  /** What it had to take when it was last seen. */
  pendingBytes: number;
};

type Handover = {
  readonly parts: readonly Buffer[];
  readonly bytes: number;
  readonly flushed?: (() => void) | undefined;
};

/**
 * Fans one source's bytes out. Until the first viewers attach, the first bytes are held and the
 * source waits. Lossless relays hand bytes on as they come, without a copy; others copy each byte
 * once, into batches that all viewers share, and keep the batches since the last keyframe.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #viewers = new Map<ViewerSink, Viewer>();
  readonly #pictures: JoinRing;
  #held: RelayInput[] | undefined = [];
  #batch = Buffer.alloc(0);
  #batchBytes = 0;
  /** The last keyframe in the batch that is being filled. */
  #batchJoin: JoinPoint | undefined;
  #mediaMs: number | undefined;
  #batchTimer: Timer | undefined;
  #gathering: Timer | undefined;
  #watching: Timer;

  constructor(options: RelayOptions) {
    const { burstMs = 0, budgetBytes } = options;
    const maxBytes = Math.max(MOST_BYTES, budgetBytes);
    this.#options = options;
    // A joiner that is sent more than half of its budget at once would soon be taken for slow.
    this.#pictures = new JoinRing({ burstMs, burstBytes: budgetBytes / 2, maxBytes });
    this.#watching = this.#armWatch();
  }

  /**
   * Who comes before the source goes on gets what was held: the first viewer, and of a shared
   * stream all who waited with it. Later ones begin at a keyframe, behind the tables: the last, or
   * one that lies a burst back; where none is known, with the next batch.
   */
  attach(sink: ViewerSink): void {
    if (this.#held === undefined) {
      this.flush();
      this.#send(this.#admit(sink), this.#pictures.burst);
      return;
    }
    const viewer = this.#admit(sink);
    const parts = this.#held.flatMap((held) => held.parts);
    this.#send(viewer, parts);
    if (this.#options.isLossless) this.#release();
    else this.#gathering ??= this.#options.timers.after(BATCH_MS, () => this.#release());
  }

  detach(sink: ViewerSink): void {
    this.#viewers.delete(sink);
  }

  /**
   * Takes the next bytes.
   * @returns false when the source must wait for `resume`; the memory is ours until then.
   */
  push(input: RelayInput): boolean {
    if (this.#held !== undefined) {
      const parts = input.parts.map((part) => Buffer.from(part));
      this.#held.push({ ...input, parts });
      return this.#held.every((held) => held.parts.length === 0);
    }
    if (this.#options.isLossless) return this.#pass(input.parts);
    this.#collect(input);
    return true;
  }

  /** Sends what waits for its batch to fill. */
  flush(): void {
    this.#batchTimer?.cancel();
    this.#batchTimer = undefined;
    if (this.#batchBytes === 0) return;
    const batch = this.#batch.subarray(0, this.#batchBytes);
    this.#pictures.add(batch, this.#batchJoin, this.#timeOf(this.#mediaMs));
    const nowMs = this.#options.clock.monotonicMs();
    const parts: readonly [Buffer] = [batch];
    for (const viewer of this.#viewers.values()) this.#offer(viewer, parts, nowMs);
    this.#batchBytes = 0;
    this.#batchJoin = undefined;
    this.#batch = Buffer.alloc(0);
  }

  close(): void {
    this.#watching.cancel();
    this.#gathering?.cancel();
    this.#batchTimer?.cancel();
    this.#pictures.clear();
    this.#viewers.clear();
  }

  /** What was held becomes the beginning of the picture cache, for those who come later. */
  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (!this.#options.isLossless) for (const input of held) this.#remember(input);
    this.#options.resume();
  }

  #remember({ parts, joins, mediaMs }: RelayInput): void {
    this.#pictures.add(Buffer.concat(parts), joins.at(-1), this.#timeOf(mediaMs));
  }

  #admit(sink: ViewerSink): Viewer {
    const tookAtMs = this.#options.clock.monotonicMs();
    const viewer = { sink, isSkipping: false, tookAtMs, pendingBytes: 0 };
    this.#viewers.set(sink, viewer);
    return viewer;
  }

  #timeOf(mediaMs: number | undefined): number {
    return mediaMs ?? this.#options.clock.monotonicMs();
  }

  #pass(parts: readonly Buffer[]): boolean {
    const [viewer] = this.#viewers.values();
    if (viewer === undefined) return true;
    let isFlushed = false;
    let isBlocked = false;
    note(viewer, viewer.sink.pendingBytes, this.#options.clock.monotonicMs());
    this.#send(viewer, parts, () => {
      isFlushed = true;
      if (isBlocked) this.#options.resume();
    });
    isBlocked = viewer.sink.pendingBytes > 0 && !isFlushed;
    return !isBlocked;
  }

  #collect({ parts, joins, mediaMs }: RelayInput): void {
    this.#mediaMs = mediaMs;
    let partStart = 0;
    for (const part of parts) {
      this.#copy(part, joinsFrom(joins, partStart));
      partStart += part.length;
    }
    if (this.#batchBytes > 0) {
      this.#batchTimer ??= this.#options.timers.after(BATCH_MS, () => this.flush());
    }
  }

  #copy(part: Buffer, joins: readonly JoinPoint[]): void {
    let taken = 0;
    while (taken < part.length) {
      if (this.#batch.length === 0) this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
      const copied = part.copy(this.#batch, this.#batchBytes, taken);
      const join = joins.findLast(({ at }) => at >= taken && at < taken + copied);
      if (join !== undefined) {
        this.#batchJoin = { at: this.#batchBytes + join.at - taken, tables: join.tables };
      }
      taken += copied;
      this.#batchBytes += copied;
      if (this.#batchBytes === BATCH_BYTES) this.flush();
    }
  }

  /**
   * A viewer beyond its budget gets nothing until most of its backlog is gone. Then it goes on from
   * the last keyframe, which this batch is part of.
   */
  #offer(viewer: Viewer, batch: readonly [Buffer], nowMs: number): void {
    const { budgetBytes } = this.#options;
    const { pendingBytes } = viewer.sink;
    note(viewer, pendingBytes, nowMs);
    if (viewer.isSkipping) {
      if (pendingBytes > budgetBytes / 4) return;
      viewer.isSkipping = false;
      const { latest } = this.#pictures;
      if (latest.length > 0) return this.#send(viewer, latest);
    }
    const { length } = batch[0];
    viewer.isSkipping = pendingBytes + length > budgetBytes;
    if (!viewer.isSkipping) this.#hand(viewer, { parts: batch, bytes: length });
  }

  #send(viewer: Viewer, parts: readonly Buffer[], flushed?: () => void): void {
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (bytes === 0) return flushed?.();
    this.#hand(viewer, { parts, bytes, flushed });
  }

  #hand(viewer: Viewer, { parts, bytes, flushed }: Handover): void {
    viewer.pendingBytes += bytes;
    viewer.sink.write(parts, flushed);
    this.#options.served(viewer.sink, bytes);
  }

  #armWatch(): Timer {
    const { timers, patienceMs } = this.#options;
    return timers.after(patienceMs / 4, () => this.#look(), { background: true });
  }

  #look(): void {
    const { clock, patienceMs, dropped } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const viewer of this.#viewers.values()) {
      note(viewer, viewer.sink.pendingBytes, nowMs);
      if (nowMs - viewer.tookAtMs < patienceMs) continue;
      this.#viewers.delete(viewer.sink);
      dropped(viewer.sink);
    }
    this.#watching = this.#armWatch();
  }
}

/** What is pending grows only by what is sent, so where it is less, some was taken. */
function note(viewer: Viewer, pendingBytes: number, nowMs: number): void {
  if (pendingBytes === 0 || pendingBytes < viewer.pendingBytes) viewer.tookAtMs = nowMs;
  viewer.pendingBytes = pendingBytes;
}
