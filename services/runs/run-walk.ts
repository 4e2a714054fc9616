import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { sleep } from '#kernel/clock';
import type { Source, SourceWalk } from '#streams';
import { FAILURE_WINDOW_MS, decideRestart } from '#transcode';
import { failureOf } from './run-error.ts';

export type RunWalkOptions = {
  /** Names the stream to the client that opens runs. */
  readonly url: string;
  /** Empty, but for what they know: whose connections runs are made of. */
  readonly headers?: Source['headers'];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
  /** A run has failed and is to be replaced, or not. */
  readonly failed: (error: AppError) => void;
};

/**
 * The way through a transcoded stream's one source: its runs. Those that fail are replaced within a
 * budget. What the stream's own sources do is not decided here: their failure ends the walk.
 */
export class RunWalk implements SourceWalk {
  readonly #options: RunWalkOptions;
  readonly #failedAtMs: number[] = [];
  readonly current: Source;
  readonly canReturn = false;
  readonly isReturnDue = false;
  #hasFlowed = false;

  constructor(options: RunWalkOptions) {
    this.#options = options;
    this.current = { url: options.url, index: -1, headers: options.headers ?? {} };
  }

  async ready(signal: AbortSignal): Promise<Source> {
    signal.throwIfAborted();
    return this.current;
  }

  flowing(): void {
    this.#hasFlowed = true;
  }

  async failed(_failed: Source, error: AppError, signal: AbortSignal): Promise<Source> {
    signal.throwIfAborted();
    this.#options.failed(error);
    const failure = failureOf(error);
    const isAwaited = this.#hasFlowed || error.code === 'TRANSCODE_FAILED';
    if (failure === undefined || !isAwaited) throw error;
    const nowMs = this.#options.clock.monotonicMs();
    this.#failedAtMs.push(nowMs);
    this.#forget(nowMs);
    const facts = { failure, failedAtMs: this.#failedAtMs, nowMs };
    const decision = decideRestart(facts, this.#options.random);
    if (decision.action === 'give-up') throw error;
    await sleep(this.#options.timers, decision.delayMs, signal);
    return this.current;
  }

  onMoved(): () => void {
    return () => {};
  }

  spare(): undefined {}

  returning(): undefined {}

  returnToPrimary(): void {}

  giveUp(error: AppError): AppError {
    return error;
  }

  slate(): void {}

  takeUp(): void {}

  close(): void {}

  #forget(nowMs: number): void {
    while (nowMs - (this.#failedAtMs[0] ?? nowMs) > FAILURE_WINDOW_MS) this.#failedAtMs.shift();
  }
}
