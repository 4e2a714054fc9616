import type { Clock } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import { Lru } from './lru.ts';

type Load<T> = {
  readonly result: Promise<T>;
  readonly unwanted: AbortController;
  waiting: number;
  /** Monotonic milliseconds; infinite while it is under way. */
  freshUntilMs: number;
};

/** Results that are kept at all; the oldest goes first. */
const MAX_KEPT = 32;

/**
 * Runs one load for all who ask for the same at the same time, and gives its result to those who
 * ask shortly after. A load that nobody waits for any more is aborted.
 */
export class SharedLoads<T> {
  readonly #loads = new Lru<string, Load<T>>(MAX_KEPT);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param keepMs - For how long the result serves others who ask for it.
   * @throws what `load` throws, or the signal's reason.
   */
  async run(
    key: string,
    { load, keepMs }: { load: (signal: AbortSignal) => Promise<T>; keepMs: number },
    signal: AbortSignal,
  ): Promise<T> {
    const shared = this.#running(key) ?? this.#start(key, load, keepMs);
    shared.waiting += 1;
    try {
      return await orAbort(shared.result, signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) this.#leave(key, shared);
    }
  }

  #running(key: string): Load<T> | undefined {
    const load = this.#loads.get(key);
    return load && load.freshUntilMs > this.#clock.monotonicMs() ? load : undefined;
  }

  #start(key: string, load: (signal: AbortSignal) => Promise<T>, keepMs: number): Load<T> {
    const unwanted = new AbortController();
    const result = load(unwanted.signal);
    const shared: Load<T> = { result, unwanted, waiting: 0, freshUntilMs: Infinity };
    this.#loads.set(key, shared);
    const settled = (forMs: number): void => {
      shared.freshUntilMs = this.#clock.monotonicMs() + forMs;
    };
    result.then(
      () => settled(keepMs),
      () => settled(0),
    );
    return shared;
  }

  /** Whoever asks next must not get a load that is being aborted. */
  #leave(key: string, shared: Load<T>): void {
    if (shared.freshUntilMs !== Infinity) return;
    shared.unwanted.abort(new DOMException('Nobody waits for it.', 'AbortError'));
    if (this.#loads.get(key) === shared) this.#loads.delete(key);
  }
}
