import type { Clock, Timer, Timers } from '#kernel/clock';
import type { Clip } from '#mpegts';

/** Takes what a slate player sends. */
export interface SlateTarget {
  /** Whole packets, which nobody may modify. @returns false when the player must wait for `resume`. */
  push(packets: Buffer): boolean;
  /** What is pushed next does not follow what was pushed: another source, or the clip again. */
  cut(): void;
}

export type SlatePlayerOptions = {
  readonly clip: Clip;
  readonly target: SlateTarget;
  /** For how long viewers have had nothing: so much is sent at once, up to {@link MAX_LEAD_MS}. */
  readonly silentMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** What is sent at once is never more than this, at the beginning and after a wait. */
export const MAX_LEAD_MS = 2000;
/** Pictures are sent a few at a time: players keep more than this in hand. */
const TICK_MS = 80;
const MAX_CHUNK_BYTES = 64 * 1024;

/** Plays a clip again and again, at the pace at which it is watched, until it is closed. */
export class SlatePlayer {
  readonly #options: SlatePlayerOptions;
  /** When the present loop's beginning was due, of the monotonic clock. */
  #loopStartMs: number;
  /** The beat that is sent next. */
  #next = 0;
  #isWaiting = false;
  #isClosed = false;
  #timer: Timer | undefined;

  /** Sends nothing before `start`. */
  constructor(options: SlatePlayerOptions) {
    this.#options = options;
    const leadMs = Math.min(options.silentMs, MAX_LEAD_MS);
    this.#loopStartMs = options.clock.monotonicMs() - leadMs;
  }

  start(): void {
    this.#play();
  }

  /** Goes on after the target said false. Harmless otherwise. */
  resume(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#play();
  }

  /** Nothing is sent any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #play(): void {
    const { clock, timers } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#dropLag(nowMs);
    while (this.#dueMs <= nowMs) {
      if (!this.#sendChunk(nowMs)) this.#isWaiting = true;
      if (this.#isWaiting || this.#isClosed) return;
    }
    this.#timer = timers.after(Math.max(TICK_MS, this.#dueMs - nowMs), () => this.#play());
  }

  /** What could not be sent in its time is not sent all at once. */
  #dropLag(nowMs: number): void {
    const lateMs = nowMs - this.#dueMs - MAX_LEAD_MS;
    if (lateMs > 0) this.#loopStartMs += lateMs;
  }

  get #dueMs(): number {
    return this.#loopStartMs + (this.#options.clip.beats[this.#next]?.dueMs ?? 0);
  }

  /** Sends beats that are due, of one loop. @returns whether the target takes more. */
  #sendChunk(nowMs: number): boolean {
    const { clip, target } = this.#options;
    const from = this.#offset;
    do this.#next += 1;
    while (this.#hasBeat && this.#dueMs <= nowMs && this.#offset - from < MAX_CHUNK_BYTES);
    const goesOn = target.push(clip.packets.subarray(from, this.#offset));
    if (!this.#hasBeat && !this.#isClosed) this.#wrap();
    return goesOn;
  }

  #wrap(): void {
    this.#next = 0;
    this.#loopStartMs += this.#options.clip.durationMs;
    this.#options.target.cut();
  }

  get #hasBeat(): boolean {
    return this.#next < this.#options.clip.beats.length;
  }

  /** Where the next beat begins in the clip. */
  get #offset(): number {
    const { beats, packets } = this.#options.clip;
    return beats[this.#next]?.at ?? packets.length;
  }
}
