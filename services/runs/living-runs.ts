import type { RunId } from '#transcode';
import type { UpstreamResponse } from '#upstream';

/** What a desk has to know of its runs. */
export interface LivingRun {
  readonly id: RunId;
  /** @throws AppError when it failed before its first bytes; the signal's reason. */
  opened(signal: AbortSignal): Promise<UpstreamResponse>;
  /** Idempotent. */
  close(): void;
}

/** The runs of a desk that are not over. Whoever makes one says when it is. */
export class LivingRuns<Run extends LivingRun> {
  readonly #runs = new Map<RunId, Run>();
  #isClosed = false;

  [Symbol.iterator](): IterableIterator<Run> {
    return this.#runs.values();
  }

  /** For workers; undefined when it is over. */
  find(id: RunId): Run | undefined {
    return this.#runs.get(id);
  }

  /**
   * Asks for a worker and waits for the first bytes. The run lasts until the answer is closed, or
   * `signal` aborts before there is one.
   * @param ask - Hands the run to the workers.
   * @throws what `ask` and the run throw.
   */
  async open(run: Run, ask: () => Promise<void>, signal: AbortSignal): Promise<UpstreamResponse> {
    this.#runs.set(run.id, run);
    const leave = (): void => run.close();
    signal.addEventListener('abort', leave, { once: true });
    try {
      if (signal.aborted || this.#isClosed) run.close();
      await ask();
      return await run.opened(signal);
    } catch (error) {
      run.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  over(run: Run): void {
    this.#runs.delete(run.id);
  }

  /** Ends every run, and any that is opened later. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const run of this.#runs.values()) run.close();
  }
}
