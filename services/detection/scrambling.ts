import type { Detector, Finding, Sample } from './finding.ts';

const CLEAR_MS = 2_000;
const SCRAMBLED_MS = 2_000;
/** More than this share of packets without a key in a look. */
const SHARE = 0.5;

/** Pictures and sound could be read, and now nobody without a key can. */
export class Scrambling implements Detector {
  #clearMs = 0;
  #scrambledMs = 0;
  #lastMs = 0;
  #packets = 0;
  #scrambled = 0;

  see({ readMs, facts }: Sample): Finding | undefined {
    const elapsedMs = readMs - this.#lastMs;
    const tracks = facts.tracks.filter(({ kind }) => kind === 'video' || kind === 'audio');
    const packets = tracks.reduce((sum, track) => sum + track.packets, 0);
    const scrambled = tracks.reduce((sum, track) => sum + track.scrambledPackets, 0);
    const came = packets - this.#packets;
    const isScrambled = came > 0 && (scrambled - this.#scrambled) / came > SHARE;
    this.#lastMs = readMs;
    this.#packets = packets;
    this.#scrambled = scrambled;
    if (came <= 0) return undefined;
    this.#scrambledMs = isScrambled ? this.#scrambledMs + elapsedMs : 0;
    if (!isScrambled) this.#clearMs += elapsedMs;
    if (this.#clearMs < CLEAR_MS || this.#scrambledMs < SCRAMBLED_MS) return undefined;
    return {
      code: 'UPSTREAM_SCRAMBLED',
      message: 'The source has begun to scramble.',
      details: { scrambledMs: Math.round(this.#scrambledMs) },
    };
  }
}
