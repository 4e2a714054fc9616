export type StallLimits = { readonly floorMs: number; readonly ceilingMs: number };

/** Until chunks have come for so long, what the source will do is a guess. */
const LEARN_MS = 5_000;
/** While guessing, and after a pause of ours, a source gets this much beyond what it is ahead. */
const PATIENCE_MS = 2_000;
/** A viewer that takes a large chunk a moment later is no reason to wait for the source. */
const LONG_PAUSE_MS = 100;
/** The longest gap is remembered for 60 to 70 s. */
const SPAN_MS = 10_000;
const SPANS = 7;
/** A hiccup of the network is short; it may come back twice as long, and a bit. */
const HICCUP_MS = 250;

/**
 * Learns how a source sends: the longest gap between two chunks of late says how long a silence is
 * nothing to wonder at. A source that sends a burst every 2 s is expected to go on doing so, one
 * that sends all the time is missed at once. Costs a comparison per chunk.
 */
export class Rhythm {
  #firstMs: number | undefined;
  #lastMs: number;
  /** Longest gaps, of the present span first. */
  readonly #peaks = new Float64Array(SPANS);
  #spanEndMs: number;
  #pausedAtMs: number | undefined;
  #isResuming = false;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
    this.#spanEndMs = nowMs + SPAN_MS;
  }

  /** When a chunk came last, or we began to read again. */
  get lastMs(): number {
    return this.#lastMs;
  }

  get isPaused(): boolean {
    return this.#pausedAtMs !== undefined;
  }

  get peakGapMs(): number {
    return Math.max(...this.#peaks);
  }

  /** Chunks have come for long enough to know the source. */
  get isKnown(): boolean {
    return this.heardForMs >= LEARN_MS;
  }

  /** From the first chunk to the last, without our own pauses. */
  get heardForMs(): number {
    return this.#firstMs === undefined ? 0 : this.#lastMs - this.#firstMs;
  }

  heard(nowMs: number): void {
    if (nowMs >= this.#spanEndMs) this.#turn(nowMs);
    const gapMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.#isResuming = false;
    if (this.#firstMs === undefined) this.#firstMs = nowMs;
    else if (gapMs > (this.#peaks[0] ?? 0)) this.#peaks[0] = gapMs;
  }

  /** We do not read from now on. */
  pause(nowMs: number): void {
    this.#pausedAtMs ??= nowMs;
  }

  resume(nowMs: number): void {
    if (this.#pausedAtMs === undefined) return;
    const pausedMs = nowMs - this.#pausedAtMs;
    this.forgive(pausedMs, nowMs);
    this.#pausedAtMs = undefined;
    this.#lastMs = nowMs;
    this.#isResuming = pausedMs >= LONG_PAUSE_MS;
  }

  /** So much of the silence was our own fault. */
  forgive(ms: number, nowMs: number): void {
    const forgivenMs = Math.min(ms, nowMs - this.#lastMs);
    this.#lastMs += forgivenMs;
    if (this.#firstMs !== undefined) this.#firstMs += forgivenMs;
  }

  /**
   * How long the present silence may last.
   *
   * @param aheadMs - How much more media has come than time has passed, while that can be told.
   */
  limitMs({ floorMs, ceilingMs }: StallLimits, aheadMs: number | undefined): number {
    const peak = this.peakGapMs;
    const learnedMs = 2 * peak + 2 * Math.min(peak, HICCUP_MS);
    return Math.min(ceilingMs, Math.max(floorMs, learnedMs, this.#patienceMs(aheadMs)));
  }

  #patienceMs(aheadMs: number | undefined): number {
    if (!this.isKnown) return aheadMs === undefined ? Infinity : Math.max(0, aheadMs) + PATIENCE_MS;
    return this.#isResuming ? PATIENCE_MS : 0;
  }

  #turn(nowMs: number): void {
    const spans = Math.min(SPANS, 1 + Math.floor((nowMs - this.#spanEndMs) / SPAN_MS));
    this.#peaks.copyWithin(spans, 0);
    this.#peaks.fill(0, 0, spans);
    this.#spanEndMs += spans * SPAN_MS;
    if (this.#spanEndMs <= nowMs) this.#spanEndMs = nowMs + SPAN_MS;
  }
}
