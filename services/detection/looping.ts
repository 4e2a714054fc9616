import { TICKS_PER_MS_27M } from './clock27m.ts';
import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';

const LOOPS = 3;
/** Less is a damaged clock, not a clip. */
const LEAST_CLIP_MS = 500;
/** Two rounds of one clip differ by no more than its last picture. */
const SAME_MS = 250;

/**
 * A short clip over and over, as providers send it when an account may not watch. Told by the
 * program clock, which goes back by the same amount each time; a sender that begins anew does so
 * once, or by another amount.
 */
export class Looping implements Detector {
  readonly #maxClipMs: number;
  #steps = 0;
  #clipMs = 0;
  #loops = 0;
  #lastLoopMs = 0;

  constructor({ maxClipMs }: DetectionSettings['looping']) {
    this.#maxClipMs = maxClipMs;
  }

  see({ readMs, facts }: Sample): Finding | undefined {
    const steps = facts.pcrStepsBack - this.#steps;
    this.#steps = facts.pcrStepsBack;
    if (readMs - this.#lastLoopMs > 2 * this.#maxClipMs) this.#loops = 0;
    if (steps === 0) return undefined;
    this.#note(facts.lastStepBack27m / TICKS_PER_MS_27M, steps, readMs);
    if (this.#loops < LOOPS) return undefined;
    return {
      code: 'UPSTREAM_LOOPING',
      message: 'The source repeats a short clip.',
      details: { clipMs: Math.round(this.#clipMs), loops: this.#loops },
    };
  }

  #note(clipMs: number, steps: number, readMs: number): void {
    const isClip = clipMs >= LEAST_CLIP_MS && clipMs <= this.#maxClipMs;
    const isSame = Math.abs(clipMs - this.#clipMs) <= SAME_MS;
    this.#clipMs = clipMs;
    this.#lastLoopMs = readMs;
    if (!isClip) this.#loops = 0;
    else this.#loops = isSame ? this.#loops + steps : steps;
  }
}
