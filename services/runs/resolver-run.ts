import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '#kernel/app-error';
import type { Timer, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import type { ResolveOrder, ResolveReport } from '#resolve';
import type { RunId } from '#transcode';
import type { UpstreamResponse } from '#upstream';
import { resolveFailed, resolverLate, resolverLost } from './resolver-error.ts';
import { noWorker } from './run-error.ts';
import { RunOutput } from './run-output.ts';

export type ResolverRunOptions = {
  readonly id: RunId;
  readonly streamId: StreamId;
  readonly order: ResolveOrder;
  /** How long a worker may take to come. */
  readonly takenMs: number;
  /** How long the program may then take to give its first bytes. */
  readonly startMs: number;
  readonly timers: Timers;
  readonly ended: (run: ResolverRun) => void;
};

/** What a worker says of an end comes beside the end itself. */
const LAST_WORDS_MS = 1_000;

/**
 * One life of a resolver's program, seen from the process that asked for it: the order goes out to
 * the worker, what the program finds comes in.
 */
export class ResolverRun {
  readonly #options: ResolverRunOptions;
  readonly #opened = Promise.withResolvers<UpstreamResponse>();
  readonly #lastWords = Promise.withResolvers<void>();
  #state: 'asked' | 'starting' | 'running' | 'ended' = 'asked';
  #deadline: Timer;
  #output: IncomingMessage | undefined;
  #report: ResolveReport | undefined;
  #failure: AppError | undefined;

  constructor(options: ResolverRunOptions) {
    this.#options = options;
    this.#opened.promise.catch(() => {}); // Its waiter may have left.
    this.#deadline = this.#due(options.takenMs, () => noWorker('not_taken'));
  }

  get id(): RunId {
    return this.#options.id;
  }
  get streamId(): StreamId {
    return this.#options.streamId;
  }
  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** @throws AppError when it failed before its first bytes; the signal's reason. */
  opened(signal: AbortSignal): Promise<UpstreamResponse> {
    return orAbort(this.#opened.promise, signal);
  }

  /** A worker has taken it and wants its order. False when it is over, or has a worker already. */
  async serveInput(response: ServerResponse): Promise<boolean> {
    if (this.#state !== 'asked') return false;
    this.#state = 'starting';
    this.#deadline.cancel();
    this.#deadline = this.#due(this.#options.startMs, resolverLate);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(this.#options.order));
    return true;
  }

  /** The program's output begins. @returns false when nobody wants it. */
  takeOutput(body: IncomingMessage): boolean {
    if (this.#state !== 'starting' || this.#output !== undefined) return false;
    this.#output = body;
    body.once('data', (first: Buffer) => this.#begin(body, first));
    body.on('error', () => {}); // A worker that dies: `close` tells of it.
    body.once('close', () => void this.#bodyOver());
    return true;
  }

  takeReport(report: ResolveReport): void {
    this.#report = report;
    this.#lastWords.resolve();
  }

  /** Idempotent: ends the program at once. */
  close(): void {
    this.#end(undefined);
  }

  #begin(body: IncomingMessage, first: Buffer): void {
    body.pause();
    if (this.#state !== 'starting') return;
    this.#state = 'running';
    this.#deadline.cancel();
    body.unshift(first);
    const output = new RunOutput({
      contentType: 'video/mp2t',
      body,
      howItEnded: () => this.#howItEnded(),
      closed: () => this.close(),
    });
    this.#opened.resolve(output);
  }

  async #bodyOver(): Promise<void> {
    this.#end(await this.#howItEnded());
  }

  async #howItEnded(): Promise<AppError | undefined> {
    if (this.#state === 'ended') return this.#failure;
    const late = this.#options.timers.after(LAST_WORDS_MS, () => this.#lastWords.resolve());
    await this.#lastWords.promise;
    late.cancel();
    if (this.#report === undefined) return resolverLost();
    const { failure } = this.#report.ended;
    return failure === null ? undefined : resolveFailed(failure);
  }

  #due(delayMs: number, failure: () => AppError): Timer {
    return this.#options.timers.after(delayMs, () => this.#end(failure()));
  }

  #end(failure: AppError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#failure = failure;
    this.#deadline.cancel();
    this.#output?.destroy();
    this.#opened.reject(failure ?? resolverLost());
    this.#options.ended(this);
  }
}
