/** What a process has used and holds. */
export type Usage = {
  /** Of all processors together, since it began. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
};

/** What one run may use; undefined: any amount. */
export type UsageLimits = {
  /** 100 is one processor, over `windowMs`. */
  readonly cpuPercent: number | undefined;
  /** Encoders take all they can get for a moment; what they do for longer counts. */
  readonly windowMs: number;
  readonly memoryBytes: number | undefined;
};

/** What a run uses now, as it is shown. */
export type UsageNow = { readonly cpuPercent: number | null; readonly memoryBytes: number };

type Sample = { readonly atMs: number; readonly cpuMs: number };

/** Judges what a run uses, from one look to the next. */
export class UsageWatch {
  readonly #limits: UsageLimits;
  #samples: readonly Sample[] = [];
  #now: UsageNow | null = null;

  constructor(limits: UsageLimits) {
    this.#limits = limits;
  }

  /** As of the last look; CPU over the window, or as much of it as there has been. */
  get now(): UsageNow | null {
    return this.#now;
  }

  /** @returns what there is too much of. */
  see({ cpuMs, memoryBytes }: Usage, atMs: number): 'memory' | 'cpu' | undefined {
    // The last sample that is older than the window stays: the window begins there.
    const { windowMs } = this.#limits;
    const keptFrom = this.#samples.findLastIndex((sample) => atMs - sample.atMs >= windowMs);
    this.#samples = [...this.#samples.slice(Math.max(keptFrom, 0)), { atMs, cpuMs }];
    const [first] = this.#samples;
    const spanMs = atMs - (first?.atMs ?? atMs);
    const cpuPercent = spanMs > 0 ? (100 * (cpuMs - (first?.cpuMs ?? cpuMs))) / spanMs : null;
    this.#now = { cpuPercent, memoryBytes };
    if (isMore(memoryBytes, this.#limits.memoryBytes)) return 'memory';
    const isJudged = spanMs >= windowMs && cpuPercent !== null;
    return isJudged && isMore(cpuPercent, this.#limits.cpuPercent) ? 'cpu' : undefined;
  }
}

const isMore = (value: number, most: number | undefined): boolean =>
  most !== undefined && value > most;
