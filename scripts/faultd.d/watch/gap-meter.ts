const MOST_LISTED = 100;

export type Gap = { readonly at_ms: number; readonly gap_ms: number };

/** Times without a byte, from the first byte on. */
export class GapMeter {
  readonly #thresholdMs: number;
  readonly #list: Gap[] = [];
  #lastMs: number | undefined;
  #largestMs = 0;
  #totalMs = 0;
  #count = 0;

  /** Shorter gaps count for the largest only. */
  constructor(thresholdMs: number) {
    this.#thresholdMs = thresholdMs;
  }

  /** Something came. Also called at the end: silence until then is a gap like any other. */
  see(atMs: number): void {
    const lastMs = this.#lastMs;
    this.#lastMs = atMs;
    if (lastMs === undefined) return;
    const gapMs = atMs - lastMs;
    this.#largestMs = Math.max(this.#largestMs, gapMs);
    if (gapMs < this.#thresholdMs) return;
    this.#count += 1;
    this.#totalMs += gapMs;
    if (this.#list.length >= MOST_LISTED) return;
    this.#list.push({ at_ms: Math.round(lastMs), gap_ms: Math.round(gapMs) });
  }

  /** The reader paused until now of its own accord. */
  resume(atMs: number): void {
    this.#lastMs = atMs;
  }

  /** The end of what is measured; without a byte before it there is nothing to measure. */
  end(atMs: number): void {
    if (this.#lastMs !== undefined) this.see(atMs);
  }

  get report() {
    return {
      threshold_ms: this.#thresholdMs,
      count: this.#count,
      largest_ms: Math.round(this.#largestMs),
      total_ms: Math.round(this.#totalMs),
      list: this.#list,
    };
  }
}
