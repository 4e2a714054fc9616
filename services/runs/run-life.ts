import type { IncomingMessage } from 'node:http';
import type { AppError } from '#kernel/app-error';
import type { Timers } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import type { UpstreamResponse } from '#upstream';
import { RunOutput } from './run-output.ts';
import type { RunOutputOptions } from './run-output.ts';

/** `asked`: no worker has come yet. `starting`: one has, and no media of it. */
export type RunState = 'asked' | 'starting' | 'running' | 'ended';

/** What a worker says of the end of a run: `undefined` where it has done all there was to do. */
export type Verdict = { readonly failure: AppError | undefined };

export type RunLifeOptions = Pick<RunOutputOptions, 'contentType' | 'isFilm'> & {
  readonly timers: Timers;
  /** Told of every state but the last, when it has begun. */
  readonly entered: (state: RunState) => void;
  /** Told once, of the last. */
  readonly ended: () => void;
  /** Nothing where no worker has said anything yet. */
  readonly verdict: () => Verdict | undefined;
  /** The worker, or the way to it, was lost. */
  readonly lost: () => AppError;
};

/** What a worker says of an end comes beside the end itself. */
const LAST_WORDS_MS = 1_000;

/**
 * How a run goes from being asked for to its end, whatever a worker runs: it is taken once, its
 * output is opened by its first bytes, and it is over with whatever breaks first.
 */
export class RunLife {
  readonly #options: RunLifeOptions;
  readonly #opened = Promise.withResolvers<UpstreamResponse>();
  readonly #lastWords = Promise.withResolvers<void>();
  #state: RunState = 'asked';
  #failure: AppError | undefined;
  #output: IncomingMessage | undefined;

  constructor(options: RunLifeOptions) {
    this.#options = options;
    this.#opened.promise.catch(() => {}); // Its waiter may have left.
  }

  get state(): RunState {
    return this.#state;
  }
  /** That ended it, if any. */
  get failure(): AppError | undefined {
    return this.#failure;
  }
  /** What the worker pushes. */
  get output(): IncomingMessage | undefined {
    return this.#output;
  }

  /** @throws AppError when it failed before its first bytes; the signal's reason. */
  opened(signal: AbortSignal): Promise<UpstreamResponse> {
    return orAbort(this.#opened.promise, signal);
  }

  /** A worker has come. False when the run is over, or has a worker already. */
  take(): boolean {
    if (this.#state !== 'asked') return false;
    this.#enter('starting');
    return true;
  }

  /** The worker's output begins. @returns false when nobody wants it. */
  takeOutput(body: IncomingMessage): boolean {
    if (this.#state !== 'starting' || this.#output !== undefined) return false;
    this.#output = body;
    body.once('data', (first: Buffer) => this.#begin(body, first));
    body.on('error', () => {}); // A worker that dies: `close` tells of it.
    body.once('close', () => void this.#bodyOver());
    return true;
  }

  /** The worker has said how it ended. Idempotent. */
  lastWords(): void {
    this.#lastWords.resolve();
  }

  /** Idempotent: the first failure stays. */
  end(failure: AppError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#failure = failure;
    this.#output?.destroy();
    this.#opened.reject(failure ?? this.#options.lost());
    this.#options.ended();
  }

  #enter(state: RunState): void {
    this.#state = state;
    this.#options.entered(state);
  }

  #begin(body: IncomingMessage, first: Buffer): void {
    body.pause();
    if (this.#state !== 'starting') return;
    this.#enter('running');
    body.unshift(first);
    const { contentType, isFilm = false } = this.#options;
    const output = new RunOutput({
      contentType,
      isFilm,
      body,
      howItEnded: () => this.#howItEnded(),
      closed: () => this.end(undefined),
    });
    this.#opened.resolve(output);
  }

  async #bodyOver(): Promise<void> {
    this.end(await this.#howItEnded());
  }

  /** The worker tells before it ends its output; one that was lost tells nothing. */
  async #howItEnded(): Promise<AppError | undefined> {
    if (this.#state === 'ended') return this.#failure;
    const late = this.#options.timers.after(LAST_WORDS_MS, () => this.#lastWords.resolve());
    await this.#lastWords.promise;
    late.cancel();
    const { verdict, lost } = this.#options;
    const said = verdict();
    return said === undefined ? lost() : said.failure;
  }
}
