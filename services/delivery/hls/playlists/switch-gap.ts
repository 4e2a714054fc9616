import type { Clock, Timer, Timers } from '#kernel/clock';
import type { SourceWalk, SwitchTiming } from '#streams';
import { sourceTagOf } from '#delivery/viewing';

export type SwitchGapOptions = {
  readonly walk: Pick<SourceWalk, 'current' | 'flowing'>;
  readonly clock: Clock;
  readonly timers: Timers;
};

/**
 * A source that has given a playlist without news waits for one with: players who go on ask for it
 * within a target duration, which is rarely longer.
 */
const HOLD_MS = 10_000;
/** Where nobody has asked for so long nobody was watching: no viewer is kept for longer. */
const UNWATCHED_MS = 120_000;

/**
 * Measures how long viewers of a stream's playlists are shown nothing new when it changes its
 * source, and tells the walk when media comes. A source counts as giving media with the first
 * playlist that shows segments of it: one that only names others shows nobody anything.
 */
export class SwitchGap {
  readonly #options: SwitchGapOptions;
  /** What showed viewers something new last. */
  #shown: { readonly source: string; readonly atMs: number } | undefined;
  #asked = { source: '', atMs: 0 };
  #lastAskMs = Number.NEGATIVE_INFINITY;
  #missedAtMs = Number.NEGATIVE_INFINITY;
  #due: SwitchTiming | undefined;
  #held: Timer | undefined;

  constructor(options: SwitchGapOptions) {
    this.#options = options;
  }

  /** A source is asked for a playlist. @param source - Its tag, as everywhere here. */
  asked(source: string): void {
    const nowMs = this.#nowMs;
    if (nowMs - this.#lastAskMs > UNWATCHED_MS) this.#shown = undefined;
    this.#lastAskMs = nowMs;
    // Another reader may have moved the stream on: here that is noticed now.
    if (this.#isLeft(source)) this.#miss();
    if (this.#asked.source !== source) this.#asked = { source, atMs: nowMs };
  }

  /** A source was found to have failed: what it is asked next is asked anew. */
  missed(source: string): void {
    this.#miss();
    this.#release();
    this.#due = undefined;
    if (this.#asked.source === source) this.#asked = { ...this.#asked, source: '' };
  }

  /** Viewers are given a live playlist of pictures or sound with segments that are new to them. */
  news(source: string): void {
    const nowMs = this.#nowMs;
    if (this.#isLeft(source) || this.#isMissed)
      this.#due = this.timing({ askedAtMs: this.#asked.atMs, flowingAtMs: nowMs }) ?? this.#due;
    this.#shown = { source, atMs: nowMs };
  }

  /** A playlist has come, and is no reason to wait for another. */
  flowing(): void {
    const due = this.#due;
    this.#due = undefined;
    this.#release();
    this.#options.walk.flowing(due);
  }

  /** A playlist has come; as long as it shows nothing of a new source, one that does is waited for. */
  came(source: string): void {
    if (!this.#isLeft(source)) return this.flowing();
    this.#held ??= this.#options.timers.after(HOLD_MS, () => this.#giveUp(source), {
      background: true,
    });
  }

  /** What a switch took, where viewers had been shown something; both times monotonic. */
  timing(at: {
    readonly askedAtMs: number;
    readonly flowingAtMs: number;
  }): SwitchTiming | undefined {
    if (this.#shown === undefined) return undefined;
    const { atMs } = this.#shown;
    return {
      gapMs: Math.round(at.flowingAtMs - atMs),
      detectionMs: Math.round(Math.max(0, this.#missedAtMs - atMs)),
      connectMs: Math.round(at.flowingAtMs - at.askedAtMs),
    };
  }

  /** Nothing is told from now on. Idempotent. */
  close(): void {
    this.#release();
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Something has failed since viewers were shown something new. */
  get #isMissed(): boolean {
    return this.#shown !== undefined && this.#missedAtMs > this.#shown.atMs;
  }

  /** Viewers have been shown another source than this. */
  #isLeft(source: string): boolean {
    return this.#shown !== undefined && this.#shown.source !== source;
  }

  #miss(): void {
    if (!this.#isMissed) this.#missedAtMs = this.#nowMs;
  }

  /** Nobody has asked for its segments: what the switch took cannot be known. */
  #giveUp(source: string): void {
    this.#held = undefined;
    if (sourceTagOf(this.#options.walk.current) !== source) return;
    this.#shown = undefined;
    this.flowing();
  }

  #release(): void {
    this.#held?.cancel();
    this.#held = undefined;
  }
}
