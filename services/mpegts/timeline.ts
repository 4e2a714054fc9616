import {
  PCR_PER_TICK,
  TICKS_PER_SECOND,
  ahead27m,
  ahead90k,
  wrap27m,
  wrap90k,
} from './timestamps.ts';

/** Where the output's time stands at a switch; −1 where it is unknown. */
export type TimelineEnd = {
  /** When the next picture is due to be decoded, or the next audio frame if there is no picture. */
  readonly nextDts90k: number;
  /** When the last picture has been shown. */
  readonly endPts90k: number;
  /** When the last audio has been heard. */
  readonly audioEnd90k: number;
  readonly pcr27m: number;
};

export type TimelineStart = { readonly pts90k: number; readonly dts90k: number };

/**
 * New pictures may begin so long before the old audio ends: tracks never end together, and some
 * multiplexers send audio ahead by as much. What overlaps of the new audio is left out.
 */
const AUDIO_LEAD_90K = TICKS_PER_SECOND;

/**
 * How much is added to the times of a source that takes over, so that its first picture follows
 * the last one: decoded after it, shown after it, and not due before the program clock.
 * Undefined when nothing is known of the output's time.
 */
export function spliceOffset90k(end: TimelineEnd, start: TimelineStart): number | undefined {
  const offsets = [
    ...after(end.nextDts90k, start.dts90k),
    ...after(end.endPts90k, start.pts90k),
    ...after(end.audioEnd90k, start.pts90k, AUDIO_LEAD_90K),
    ...(end.pcr27m < 0 ? [] : after(Math.ceil(end.pcr27m / PCR_PER_TICK) + 1, start.dts90k)),
  ];
  if (offsets.length === 0) return undefined;
  return offsets.reduce((latest, next) => (ahead90k(next, latest) > 0 ? next : latest));
}

/** Audio may begin so long before the first picture where no clock says what is due. */
const BLIND_LEAD_90K = 0.3 * TICKS_PER_SECOND;

/**
 * From when on a source's audio may be heard: it fills the silence of a switch as far back as the
 * clock has not come.
 * @param startPts90k - When its first picture is shown.
 * @param pcr27m - The last clock sent; −1: none.
 */
export function firstAudio90k(startPts90k: number, pcr27m: number): number {
  const clock90k = Math.ceil(pcr27m / PCR_PER_TICK);
  const isKnown = pcr27m >= 0 && ahead90k(startPts90k, clock90k) > 0;
  return isKnown ? clock90k : wrap90k(startPts90k - BLIND_LEAD_90K);
}

const after = (time90k: number, from90k: number, slack90k = 0): readonly number[] =>
  time90k < 0 ? [] : [wrap90k(time90k - slack90k - from90k)];

/** A clock more than this ahead of what its source does by itself is set right at a switch. */
const MAX_EXTRA_MARGIN_27M = TICKS_PER_SECOND * PCR_PER_TICK;
/** While decoding times are closer to the clock than in the source, the clock runs 0.2 % slower. */
const SLOWING = 512;

/**
 * Carries the program clock on over a switch. Sources differ in how far decoding times are ahead of
 * their clock; the output keeps the distance it had, so that the clock neither leaps nor stops, and
 * goes back slowly where the new source needs more.
 */
export class ClockMap {
  readonly #natural27m: number;
  #offset27m: number | undefined;
  #last27m: number;
  #lastSource27m = 0;

  /**
   * @param offset90k - What is added to the source's decoding times.
   * @param last27m - The last clock sent; −1: none.
   */
  constructor(offset90k: number, last27m: number) {
    this.#natural27m = wrap27m(offset90k * PCR_PER_TICK);
    this.#last27m = last27m;
  }

  /** The first clock of the source, with the decoding time in the output that it goes with. */
  begin(source27m: number, dts90k: number, margin27m: number | undefined): void {
    const natural = wrap27m(source27m + this.#natural27m);
    const dts27m = dts90k * PCR_PER_TICK;
    const most = ahead27m(dts27m, natural) + MAX_EXTRA_MARGIN_27M;
    const margin = margin27m === undefined ? undefined : Math.max(0, Math.min(margin27m, most));
    const first = margin === undefined ? natural : wrap27m(dts27m - margin);
    this.#offset27m = wrap27m(first - source27m);
    this.#lastSource27m = source27m;
  }

  get hasBegun(): boolean {
    return this.#offset27m !== undefined;
  }

  /**
   * The clock to send for a clock of the source. Always later than the one before.
   * @param dts90k - Latest decoding time in the output; the clock stays before it. −1: none.
   */
  map(source27m: number, dts90k: number): number {
    this.#slow(source27m);
    let clock = wrap27m(source27m + (this.#offset27m ?? this.#natural27m));
    const due = dts90k * PCR_PER_TICK;
    if (dts90k >= 0 && ahead27m(clock, due) > 0) clock = due;
    if (this.#last27m >= 0 && ahead27m(clock, this.#last27m) <= 0)
      clock = wrap27m(this.#last27m + 1);
    this.#last27m = clock;
    return clock;
  }

  #slow(source27m: number): void {
    const passed = ahead27m(source27m, this.#lastSource27m);
    this.#lastSource27m = source27m;
    if (this.#offset27m === undefined || passed <= 0) return;
    const ahead = ahead27m(this.#offset27m, this.#natural27m);
    if (ahead <= 0) return;
    const step = Math.min(ahead, Math.floor(passed / SLOWING));
    this.#offset27m = wrap27m(this.#offset27m - step);
  }
}
