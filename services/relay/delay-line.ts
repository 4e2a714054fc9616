import type { Clock, Timer, Timers } from '#kernel/clock';
import { joinsFrom } from './join-ring.ts';
import type { JoinPoint } from './join-ring.ts';
import type { RelayInput } from './relay.ts';

/** How often what is due is handed on. */
const TICK_MS = 40;
const PACKET_BYTES = 188;

/** The next bytes of a source, with their place in its time. */
export type TimedInput = RelayInput & {
  /** Where the stream's own time stands after them; never falls. */
  readonly mediaMs: number;
};

export type DelayLineOptions = {
  /** How much of the stream's time is kept back. */
  readonly delayMs: number;
  /** Most that is kept; where that is less than the delay, the delay is shorter. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Takes what is due; false when it must wait for {@link DelayLine.resume}. */
  readonly push: (input: RelayInput) => boolean;
  /** The source may go on after `push` said false. */
  readonly resume: () => void;
};

type Entry = {
  readonly bytes: Buffer;
  readonly joins: readonly JoinPoint[];
  /** Time of the first byte and of the end; what is between lies evenly. */
  readonly fromMs: number;
  readonly toMs: number;
};

/**
 * Keeps a stream back, so that a source may be silent for a while and viewers go on.
 *
 * What is kept is handed on by the stream's own time, at real-time pace, however it came. The line
 * never keeps more than the delay: a source that sends faster is passed on as fast. What a silence
 * has used up comes back when a source sends ahead of time, as most do at their beginning. One timer
 * while anything is kept; bytes are copied once, when they come.
 */
export class DelayLine {
  readonly #options: DelayLineOptions;
  readonly #entries: Entry[] = [];
  readonly #emptied: PromiseWithResolvers<void>[] = [];
  #keptBytes = 0;
  /** Of the oldest entry: bytes that have been handed on. */
  #handedBytes = 0;
  #tailMs = 0;
  #firstAtMs: number | undefined;
  /** Where playing stands in the stream's time, and when that was looked at. */
  #playing: { readonly mediaMs: number; readonly atMs: number } | undefined;
  #timer: Timer | undefined;
  #isBlocked = false;

  constructor(options: DelayLineOptions) {
    this.#options = options;
  }

  /** Bytes that are kept. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /**
   * Takes the next bytes.
   * @returns false when the source must wait for `resume`: the viewer is slow, and the line full.
   */
  push({ parts, joins, mediaMs }: TimedInput): boolean {
    const bytes = Buffer.concat(parts);
    const fromMs = this.#tailMs;
    if (this.#entries.length === 0) this.#goOnFromNow();
    this.#tailMs = mediaMs;
    this.#firstAtMs ??= this.#options.clock.monotonicMs();
    if (bytes.length > 0) {
      this.#entries.push({ bytes, joins, fromMs, toMs: mediaMs });
      this.#keptBytes += bytes.length;
    }
    this.#turn();
    return !this.#isFull;
  }

  /** What was handed on has been taken. */
  resume(): void {
    if (this.#isBlocked) {
      this.#isBlocked = false;
      this.#goOnFromNow();
      this.#turn();
    }
    if (!this.#isFull) this.#options.resume();
  }

  /** No more will come: resolves when all that is kept has been handed on, in its time. */
  drained(): Promise<void> {
    const emptied = Promise.withResolvers<void>();
    this.#emptied.push(emptied);
    this.#playing ??= { mediaMs: this.#entries[0]?.fromMs ?? 0, atMs: this.#nowMs };
    this.#turn();
    return emptied.promise;
  }

  /** Forgets what is kept. Idempotent. */
  close(): void {
    this.#entries.length = 0;
    this.#keptBytes = 0;
    this.#turn();
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  get #isFull(): boolean {
    const { delayMs, maxBytes } = this.#options;
    const headMs = this.#entries[0]?.fromMs ?? this.#tailMs;
    return this.#isBlocked && (this.#keptBytes > maxBytes || this.#tailMs - headMs > delayMs);
  }

  #turn(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const mediaMs = this.#playhead();
    if (mediaMs !== undefined) this.#handOnUpTo(mediaMs);
    if (this.#entries.length === 0) {
      for (const { resolve } of this.#emptied.splice(0)) resolve();
    }
    if (this.#entries.length === 0 || this.#isBlocked) return;
    this.#timer = this.#options.timers.after(TICK_MS, () => this.#turn());
  }

  /** Up to where the stream is due now; undefined before playing begins. */
  #playhead(): number | undefined {
    const { delayMs } = this.#options;
    const nowMs = this.#nowMs;
    const latest = this.#tailMs - delayMs;
    const hasWaited = nowMs - (this.#firstAtMs ?? nowMs) >= delayMs;
    const headMs = this.#entries[0]?.fromMs ?? this.#tailMs;
    if (this.#playing === undefined && !hasWaited && latest <= headMs) return undefined;
    const { mediaMs, atMs } = this.#playing ?? { mediaMs: headMs, atMs: nowMs };
    const due = Math.min(this.#tailMs, Math.max(latest, mediaMs + nowMs - atMs));
    this.#playing = { mediaMs: due, atMs: nowMs };
    return due;
  }

  #handOnUpTo(mediaMs: number): void {
    for (let head = this.#entries[0]; head !== undefined; head = this.#entries[0]) {
      if (this.#isBlocked) return;
      const end = this.#keptBytes > this.#options.maxBytes ? Infinity : mediaMs;
      const upTo = bytesDue(head, end);
      if (upTo <= this.#handedBytes) return;
      this.#handOn(head, upTo);
    }
  }

  #handOn(head: Entry, upTo: number): void {
    const from = this.#handedBytes;
    const joins = joinsFrom(head.joins, from).filter(({ at }) => at < upTo - from);
    this.#keptBytes -= upTo - from;
    this.#handedBytes = upTo;
    if (upTo === head.bytes.length) {
      this.#entries.shift();
      this.#handedBytes = 0;
    }
    const input = { parts: [head.bytes.subarray(from, upTo)], joins };
    this.#isBlocked = !this.#options.push(input);
  }

  /** The stream's time has stood still: there was nothing to play, or the viewer did not take it. */
  #goOnFromNow(): void {
    if (this.#playing !== undefined) this.#playing = { ...this.#playing, atMs: this.#nowMs };
  }
}

/** How much of an entry is due: whole packets. */
function bytesDue({ bytes, fromMs, toMs }: Entry, mediaMs: number): number {
  if (mediaMs >= toMs) return bytes.length;
  const share = Math.max(0, (mediaMs - fromMs) / (toMs - fromMs));
  return Math.floor((bytes.length * share) / PACKET_BYTES) * PACKET_BYTES;
}
