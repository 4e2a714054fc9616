const CLOCK_90K_MODULO = 2 ** 33;
const HALF_CIRCLE_90K = 2 ** 32;
const LEAP_90K = 90_000;
const MOST_LISTED = 20;

export type ClockStep = { readonly at_ms: number; readonly pid: number; readonly step_ms: number };

/** Steps back, stand-still and leaps ahead of one kind of time stamp, on every PID that has it. */
export class ClockMeter {
  readonly #last = new Map<number, number>();
  readonly #toleranceMs: number;
  readonly #steps: ClockStep[] = [];
  #backward = 0;
  #largestMs = 0;
  #leaps = 0;
  #repeats = 0;
  #span90k = 0;

  /** Presentation times step back between pictures that are coded out of order: allow for that. */
  constructor({ toleranceMs = 0 } = {}) {
    this.#toleranceMs = toleranceMs;
  }

  /** Takes a time; after an announced discontinuity only as the new beginning. */
  see(now90k: number, place: { atMs: number; pid: number; isAnnounced: boolean }): void {
    const last90k = this.#last.get(place.pid);
    this.#last.set(place.pid, now90k);
    if (last90k === undefined || place.isAnnounced) return;
    const forward90k = (now90k - last90k + CLOCK_90K_MODULO) % CLOCK_90K_MODULO;
    if (forward90k >= HALF_CIRCLE_90K) this.#stepBack(CLOCK_90K_MODULO - forward90k, place);
    else this.#stepAhead(forward90k);
  }

  /** What comes next is a new beginning on every PID. */
  restart(): void {
    this.#last.clear();
  }

  get report() {
    return {
      backward: this.#backward,
      largest_backward_ms: round(this.#largestMs),
      backward_steps: this.#steps,
      leaps_ahead: this.#leaps,
      repeated: this.#repeats,
    };
  }

  /** How far the clocks went, the steps back left out. */
  get spanMs(): number {
    return this.#span90k / 90;
  }

  #stepBack(back90k: number, { atMs, pid }: { atMs: number; pid: number }): void {
    const ms = back90k / 90;
    if (ms <= this.#toleranceMs) return;
    this.#backward += 1;
    this.#largestMs = Math.max(this.#largestMs, ms);
    if (this.#steps.length >= MOST_LISTED) return;
    this.#steps.push({ at_ms: round(atMs), pid, step_ms: -round(ms) });
  }

  #stepAhead(forward90k: number): void {
    if (forward90k === 0) this.#repeats += 1;
    if (forward90k > LEAP_90K) this.#leaps += 1;
    else this.#span90k += forward90k;
  }
}

const round = (ms: number): number => Math.round(ms * 10) / 10;
