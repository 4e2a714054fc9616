import { ahead27m, TICKS_PER_MS_27M } from './clock27m.ts';
import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';

/** A clock that stays within this of where it was does not go. */
const BAND_27M = 500 * TICKS_PER_MS_27M;

/** The program clock stands, or repeats a moment, while packets flow. */
export class PcrStop implements Detector {
  readonly #standsMs: number;
  #anchor27m: number | undefined;
  #stoodMs = 0;
  #lastMs = 0;
  #packets = 0;

  constructor({ standsMs }: DetectionSettings['pcr']) {
    this.#standsMs = standsMs;
  }

  see({ readMs, facts }: Sample): Finding | undefined {
    const elapsedMs = readMs - this.#lastMs;
    const isFlowing = facts.packets > this.#packets;
    this.#lastMs = readMs;
    this.#packets = facts.packets;
    if (facts.pcr27m === undefined || this.#hasMoved(facts.pcr27m)) {
      this.#anchor27m = facts.pcr27m;
      this.#stoodMs = 0;
    } else if (isFlowing) this.#stoodMs += elapsedMs;
    if (this.#stoodMs < this.#standsMs) return undefined;
    return {
      code: 'UPSTREAM_PCR_STOPPED',
      message: 'The clock of the source has stopped.',
      details: { stoodMs: Math.round(this.#stoodMs) },
    };
  }

  #hasMoved(pcr27m: number): boolean {
    const anchor = this.#anchor27m;
    return anchor === undefined || Math.abs(ahead27m(pcr27m, anchor)) >= BAND_27M;
  }
}
