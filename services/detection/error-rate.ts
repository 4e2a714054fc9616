import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';
import { Seconds } from './seconds.ts';

const WINDOW_SECONDS = 5;
/** One bad moment is not a bad source: errors have to come in so many of the seconds. */
const BAD_SECONDS = 3;
const LEAST_ERRORS = 25;

type Second = { packets: number; errors: number };

/** Packets are missing, out of order or marked as damaged, again and again. */
export class ErrorRate implements Detector {
  readonly #share: number;
  readonly #seconds = new Seconds<Second>(WINDOW_SECONDS, () => ({ packets: 0, errors: 0 }));
  #packets = 0;
  #errors = 0;

  constructor({ share }: DetectionSettings['errors']) {
    this.#share = share;
  }

  see({ readMs, facts }: Sample): Finding | undefined {
    const errors = facts.counterErrors + facts.transportErrors;
    const { present } = this.#seconds;
    present.packets += facts.packets - this.#packets;
    present.errors += errors - this.#errors;
    this.#packets = facts.packets;
    this.#errors = errors;
    return this.#seconds.turn(readMs) ? this.#judge() : undefined;
  }

  #judge(): Finding | undefined {
    const { past } = this.#seconds;
    const errors = past.reduce((sum, second) => sum + second.errors, 0);
    const packets = past.reduce((sum, second) => sum + second.packets, 0);
    const badSeconds = past.filter((second) => second.errors > 0).length;
    const isBad = errors >= Math.max(LEAST_ERRORS, this.#share * packets);
    if (!isBad || badSeconds < BAD_SECONDS) return undefined;
    return {
      code: 'UPSTREAM_ERRORS',
      message: 'The source loses or damages too many packets.',
      details: { errors, packets },
    };
  }
}
