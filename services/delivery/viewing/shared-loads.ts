import { orAbort } from '#kernel/or-abort';

type Load<T> = {
  readonly result: Promise<T>;
  readonly unwanted: AbortController;
  waiting: number;
  isSettled: boolean;
};

/**
 * Runs one load for all who ask for the same at the same time. A load that nobody waits for any
 * more is aborted.
 */
export class SharedLoads<T> {
  readonly #loads = new Map<string, Load<T>>();

  isRunning(key: string): boolean {
    return this.#loads.has(key);
  }

  /** @throws what `load` throws, or the signal's reason. */
  async run(
    key: string,
    load: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const shared = this.#loads.get(key) ?? this.#start(key, load);
    shared.waiting += 1;
    try {
      return await orAbort(shared.result, signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) this.#leave(key, shared);
    }
  }

  #start(key: string, load: (signal: AbortSignal) => Promise<T>): Load<T> {
    const unwanted = new AbortController();
    const shared: Load<T> = {
      result: load(unwanted.signal),
      unwanted,
      waiting: 0,
      isSettled: false,
    };
    this.#loads.set(key, shared);
    const settled = (): void => {
      shared.isSettled = true;
      this.#forget(key, shared);
    };
    shared.result.then(settled, settled);
    return shared;
  }

  /** Whoever asks next must not get a load that is being aborted. */
  #leave(key: string, shared: Load<T>): void {
    if (shared.isSettled) return;
    this.#forget(key, shared);
    shared.unwanted.abort(new DOMException('Nobody waits for it.', 'AbortError'));
  }

  #forget(key: string, shared: Load<T>): void {
    if (this.#loads.get(key) === shared) this.#loads.delete(key);
  }
}
