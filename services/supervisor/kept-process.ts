import { type Backoff, backoffMs } from '#kernel/backoff';
import { type Clock, sleep, type Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { Launched, ReadyFacts } from './launched.ts';

/** The first restart comes at once; a process that cannot live is tried twice a minute. */
const RESTART: Backoff = { baseMs: 100, maxMs: 30_000, factor: 3, jitter: 0.2 };
/** A life of this length makes earlier failures forgotten; a shorter one does not. */
const STABLE_MS = 60_000;

export type KeptProcessOptions = {
  readonly name: string;
  readonly launch: () => Launched;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
};

/** Keeps one child process running: the owner of every life of it. */
export class KeptProcess {
  readonly #options: KeptProcessOptions;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  #current: Launched | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: KeptProcessOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ process: options.name });
  }

  /**
   * Starts the process; from then on it is restarted whenever it ends.
   * @throws what `ready` of its first life rejects with; then it is not kept.
   */
  async start(): Promise<ReadyFacts> {
    const first = this.#launch();
    const facts = await first.ready;
    void this.#keep(first);
    return facts;
  }

  /** Lets it drain, for at most `graceMs`. Idempotent. */
  close(graceMs: number): Promise<void> {
    this.#closed.abort();
    return (this.#closing ??= this.#current?.stop(graceMs) ?? Promise.resolve());
  }

  #launch(): Launched {
    this.#current = this.#options.launch();
    return this.#current;
  }

  async #keep(first: Launched): Promise<void> {
    const { clock, random } = this.#options;
    let failures = 0;
    for (let life = first; ; life = this.#relaunch()) {
      const sinceMs = clock.monotonicMs();
      const ending = await life.exited;
      if (this.#closed.signal.aborted) return;
      failures = clock.monotonicMs() - sinceMs >= STABLE_MS ? 1 : failures + 1;
      const restartInMs = backoffMs(RESTART, failures, random);
      this.#logger.error('process ended', { ending, failures, restartInMs });
      if (!(await this.#pause(restartInMs))) return;
    }
  }

  #relaunch(): Launched {
    const life = this.#launch();
    life.ready.then(
      () => this.#logger.info('process is back', { pid: life.pid }),
      (error: unknown) => {
        if (!this.#closed.signal.aborted)
          this.#logger.error('process did not come back', { error });
      },
    );
    return life;
  }

  /** False when it was closed meanwhile. */
  async #pause(delayMs: number): Promise<boolean> {
    return sleep(this.#options.timers, delayMs, this.#closed.signal).then(
      () => true,
      () => false,
    );
  }
}
