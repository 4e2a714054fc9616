import { Rhythm } from '#detection';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { LoopLag } from './loop-lag.ts';

/** Between two looks at a source. */
const LOOK_MS = 250;
/** Timers that come later than this tell of a busy process: its sockets have not been read either. */
const LATE_MS = 50;

export type StallWatchOptions = {
  readonly clock: Clock;
  readonly timers: Timers;
  /** How long the process could not read; when absent only late timers tell. */
  readonly lag?: LoopLag | undefined;
  /** How long a silence may last; asked at every look. */
  readonly limitMs: (rhythm: Rhythm) => number;
  /** Every `LOOK_MS` while the source is not stalled. */
  readonly looked: () => void;
  readonly stalled: (silentMs: number) => void;
  /** Half of the limit has passed in silence, or the silence is over. */
  readonly suspected: (isSuspected: boolean) => void;
};

/**
 * Notices a source that sends nothing, judged by how it sent before. Chunks only leave their time;
 * one timer looks at it now and then, and when a silence becomes too long. While we ourselves do
 * not read, and while the process is too busy to, nothing is held against the source.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly rhythm: Rhythm;
  readonly #startedMs: number;
  #pausedMs = 0;
  #pausedAtMs: number | undefined;
  #isSuspected = false;
  #isStopped = false;
  #dueMs = 0;
  #nextLookMs: number;
  #timer: Timer;
  readonly #leaveLag: () => void;
  /** Of all that the process has lost, what is accounted for. */
  #lagMs: number;

  constructor(options: StallWatchOptions) {
    const nowMs = options.clock.monotonicMs();
    this.#options = options;
    this.#leaveLag = options.lag?.watch() ?? nothing;
    this.#lagMs = options.lag?.totalMs ?? 0;
    this.#startedMs = nowMs;
    this.rhythm = new Rhythm(nowMs);
    this.#nextLookMs = nowMs + LOOK_MS;
    this.#timer = this.#arm(LOOK_MS, nowMs);
  }

  /** When something was heard last. */
  get lastMs(): number {
    return this.rhythm.lastMs;
  }

  /** For how long the source was read, without pauses of ours, wanted or not. */
  get readMs(): number {
    const untilMs = this.#pausedAtMs ?? this.#options.clock.monotonicMs();
    return untilMs - this.#startedMs - this.#pausedMs;
  }

  /** For how long it was not. */
  get pausedMs(): number {
    return this.#options.clock.monotonicMs() - this.#startedMs - this.readMs;
  }

  heard(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#forgiveLag(nowMs);
    this.rhythm.heard(nowMs);
    if (this.#isSuspected) this.#suspect(false);
  }

  pause(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.rhythm.pause(nowMs);
    this.#pausedAtMs ??= nowMs;
  }

  resume(): void {
    if (this.#pausedAtMs === undefined) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#pausedMs += nowMs - this.#pausedAtMs;
    this.#pausedAtMs = undefined;
    this.rhythm.resume(nowMs);
    this.#lagMs = this.#options.lag?.totalMs ?? 0;
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
    this.#leaveLag();
  }

  #arm(delayMs: number, nowMs: number): Timer {
    this.#dueMs = nowMs + Math.max(1, delayMs);
    return this.#options.timers.after(this.#dueMs - nowMs, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#forgiveLag(nowMs);
    const limitMs = this.#options.limitMs(this.rhythm);
    const silentMs = this.rhythm.isPaused ? 0 : nowMs - this.rhythm.lastMs;
    if (silentMs >= limitMs) return this.#options.stalled(silentMs);
    const isHalfOver = silentMs >= limitMs / 2;
    if (isHalfOver !== this.#isSuspected) this.#suspect(isHalfOver);
    if (nowMs >= this.#nextLookMs) {
      this.#nextLookMs = nowMs + LOOK_MS;
      this.#options.looked();
    }
    if (this.#isStopped) return;
    const toSilenceMs = (isHalfOver ? limitMs : limitMs / 2) - silentMs;
    this.#timer = this.#arm(Math.min(this.#nextLookMs - nowMs, toSilenceMs), nowMs);
  }

  #forgiveLag(nowMs: number): void {
    const ownMs = this.#lostSinceMs(nowMs);
    if (ownMs <= 0) return;
    this.rhythm.forgive(ownMs, nowMs);
    if (this.#pausedAtMs === undefined) this.#pausedMs += ownMs;
  }

  /** What this process has lost of late, each moment told once. */
  #lostSinceMs(nowMs: number): number {
    const { lag } = this.#options;
    const lateMs = nowMs - this.#dueMs;
    if (lag === undefined) return lateMs > LATE_MS ? lateMs : 0;
    const lostMs = lag.totalMs - this.#lagMs;
    this.#lagMs += lostMs;
    return lostMs;
  }

  #suspect(isSuspected: boolean): void {
    this.#isSuspected = isSuspected;
    this.#options.suspected(isSuspected);
  }
}

const nothing = (): void => {};
