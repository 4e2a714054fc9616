import type { Step } from '../scenario/action.ts';

export type TimelineOptions = {
  /** By time. */
  readonly steps: readonly Step[];
  /** It begins anew after so long. */
  readonly repeatMs: number | undefined;
  readonly take: (step: Step) => void;
};

/** When each step is due: `round` counts repetitions; `undefined` when there is no such step. */
export function dueMs(
  { steps, repeatMs }: Pick<TimelineOptions, 'steps' | 'repeatMs'>,
  index: number,
): number | undefined {
  const step = steps[index % steps.length];
  const round = Math.floor(index / steps.length);
  if (!step || (round > 0 && repeatMs === undefined)) return undefined;
  return step.atMs + round * (repeatMs ?? 0);
}

/** Takes steps at their times, counted from `start`. */
export class Timeline {
  readonly #options: TimelineOptions;
  #startedAtMs: number | undefined;
  #nextStep: NodeJS.Timeout | undefined;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  /** Counts from now; the second call changes nothing. */
  start(): void {
    if (this.#startedAtMs !== undefined) return;
    this.#startedAtMs = performance.now();
    this.#arm(0);
  }

  get elapsedMs(): number {
    return this.#startedAtMs === undefined ? 0 : performance.now() - this.#startedAtMs;
  }

  close(): void {
    clearTimeout(this.#nextStep);
  }

  #arm(index: number): void {
    const atMs = dueMs(this.#options, index);
    const step = this.#options.steps[index % this.#options.steps.length];
    if (atMs === undefined || !step) return;
    this.#nextStep = setTimeout(
      () => {
        this.#options.take(step);
        this.#arm(index + 1);
      },
      Math.max(0, atMs - this.elapsedMs),
    );
  }
}
