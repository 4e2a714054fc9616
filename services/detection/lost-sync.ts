import type { Detector, Finding, Sample } from './finding.ts';

const LOST_MS = 1_000;
const LOST_BYTES = 1_024;

/** Bytes flow, and no packet is in them: a page or another kind of media has taken over. */
export class LostSync implements Detector {
  #sinceBytes = 0;
  #lostBytes = 0;
  #lostMs = 0;
  #lastMs = 0;
  #packets = 0;

  see({ readMs, lostBytes, facts }: Sample): Finding | undefined {
    const elapsedMs = readMs - this.#lastMs;
    const hasPackets = facts.packets !== this.#packets;
    const isLosing = lostBytes > this.#lostBytes;
    this.#lastMs = readMs;
    this.#packets = facts.packets;
    this.#lostBytes = lostBytes;
    if (hasPackets) {
      this.#sinceBytes = lostBytes;
      this.#lostMs = 0;
    } else if (isLosing) this.#lostMs += elapsedMs;
    const bytes = lostBytes - this.#sinceBytes;
    if (this.#lostMs < LOST_MS || bytes < LOST_BYTES) return undefined;
    return {
      code: 'UPSTREAM_WRONG_TYPE',
      message: 'The source has turned into something else than media.',
      details: { bytes },
    };
  }
}
