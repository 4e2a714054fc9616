import { ahead27m } from '#mpegts';

const TICKS_PER_MS = 27_000;
/** No stream's clock goes on by more between two reads: it was set anew. */
const MAX_STEP_MS = 10_000;
/** What is counted then, at most. */
const MAX_PASSED_MS = 1_000;

/** A stream's own time as one that never falls and begins at 0. */
export class MediaClock {
  #pcr27m = -1;
  #readAtMs: number | undefined;
  #mediaMs = 0;

  /**
   * Where the stream stands now.
   * @param pcr27m - Its program clock; -1 where it has none: then time goes on as ours does.
   */
  read(pcr27m: number, nowMs: number): number {
    const passedMs = Math.min(nowMs - (this.#readAtMs ?? nowMs), MAX_PASSED_MS);
    const stepMs = pcr27m < 0 ? passedMs : this.#step(pcr27m, passedMs);
    this.#pcr27m = pcr27m;
    this.#readAtMs = nowMs;
    this.#mediaMs += stepMs;
    return this.#mediaMs;
  }

  #step(pcr27m: number, passedMs: number): number {
    if (this.#pcr27m < 0) return 0;
    const stepMs = ahead27m(pcr27m, this.#pcr27m) / TICKS_PER_MS;
    return stepMs < 0 || stepMs > MAX_STEP_MS ? passedMs : stepMs;
  }
}
