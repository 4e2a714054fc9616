/** What the segments of one list have taken, in bits per second. */
export class RateMeter {
  #peakBps = 0;
  #bits = 0;
  #ms = 0;

  get peakBps(): number {
    return this.#peakBps;
  }

  get averageBps(): number {
    return this.#ms === 0 ? 0 : (this.#bits * 1000) / this.#ms;
  }

  see(bytes: number, durationMs: number): void {
    const bits = bytes * 8;
    this.#peakBps = Math.max(this.#peakBps, (bits * 1000) / durationMs);
    this.#bits += bits;
    this.#ms += durationMs;
  }
}
