import type { Clock } from '#kernel/clock';
import type { SwitchTiming } from '#streams';

/** Measures how long a feed has nothing to hand on when it changes its upstream. */
export class GapMeter {
  readonly #clock: Clock;
  #lost: { readonly lastByteMs: number; readonly noticedMs: number } | undefined;
  #askedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An upstream is asked for media. */
  asked(): void {
    this.#askedMs = this.#clock.monotonicMs();
  }

  /** An upstream that had given media is left; its last byte came at this monotonic time. */
  lost(lastByteMs: number): void {
    this.#lost = { lastByteMs, noticedMs: this.#clock.monotonicMs() };
  }

  /** Media comes; gives what the change took, where there was media before. */
  begun(): SwitchTiming | undefined {
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const round = Math.round;
    return {
      gapMs: round(nowMs - lost.lastByteMs),
      detectionMs: round(lost.noticedMs - lost.lastByteMs),
      connectMs: round(nowMs - this.#askedMs),
    };
  }
}
