import type { Hardware } from './hardware.ts';
import type { RunId } from './ids.ts';
import { placeOf, plus } from './resources.ts';
import type { Amounts, Place, Resource, WantedRun } from './resources.ts';

export type RunLedgerOptions = {
  /** What the worker has, as it is known now. */
  readonly capacity: () => Amounts;
  /** What it encodes with, best first. */
  readonly hardware: () => readonly Hardware[];
  /** Something was taken or given back. */
  readonly changed: () => void;
};

/** A place that is taken until it is given back. */
export type TakenPlace = Place & {
  /** Idempotent. */
  release(): void;
};

/** What the runs of one worker have taken of it. */
export class RunLedger {
  readonly #options: RunLedgerOptions;
  readonly #runs = new Set<RunId>();
  #taken: Amounts = { slots: 0, cpu: 0, gpu: 0 };

  constructor(options: RunLedgerOptions) {
    this.#options = options;
  }

  get capacity(): Amounts {
    return this.#options.capacity();
  }

  get taken(): Amounts {
    return this.#taken;
  }

  /** The runs that have a place. */
  get runs(): readonly RunId[] {
    return [...this.#runs];
  }

  /** A place for a run; or what there is too little of now. */
  take(run: WantedRun & { readonly runId: RunId }): TakenPlace | { readonly full: Resource } {
    const { capacity, taken } = this;
    const place = placeOf(run, { hardware: this.#options.hardware(), capacity, taken });
    if ('full' in place) return place;
    this.#runs.add(run.runId);
    this.#add(place.needs, 1);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#runs.delete(run.runId);
      this.#add(place.needs, -1);
    };
    return { ...place, release };
  }

  #add(needs: Amounts, sign: 1 | -1): void {
    this.#taken = plus(this.#taken, needs, sign);
    this.#options.changed();
  }
}
