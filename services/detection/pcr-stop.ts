import { ahead27m, TICKS_PER_MS_27M } from './clock27m.ts';
import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';

/** A clock that is set back by less than this repeats a moment; by more, it was set anew. */
const BAND_27M = 500 * TICKS_PER_MS_27M;

/** The program clock stands, or repeats a moment, while packets flow. */
export class PcrStop implements Detector {
  readonly #standsMs: number;
  /** The latest that it has shown. */
  #top27m: number | undefined;
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
      this.#top27m = facts.pcr27m;
      this.#stoodMs = 0;
    } else if (isFlowing) this.#stoodMs += elapsedMs;
    if (this.#stoodMs < this.#standsMs) return undefined;
    return {
      code: 'UPSTREAM_PCR_STOPPED',
      message: 'The clock of the source has stopped.',
      details: { stoodMs: Math.round(this.#stoodMs) },
    };
  }

  /** However little: the clock of a source that sends slowly goes slowly. */
  #hasMoved(pcr27m: number): boolean {
    if (this.#top27m === undefined) return true;
    const ahead = ahead27m(pcr27m, this.#top27m);
    return ahead > 0 || ahead <= -BAND_27M;
  }
}
