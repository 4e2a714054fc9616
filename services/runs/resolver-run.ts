import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '#kernel/app-error';
import type { Timer, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { ResolveOrder, ResolveReport } from '#resolve';
import type { RunId } from '#transcode';
import type { UpstreamResponse } from '#upstream';
import { resolveFailed, resolverLate, resolverLost } from './resolver-error.ts';
import { noWorker } from './run-error.ts';
import { RunLife } from './run-life.ts';
import type { RunState, Verdict } from './run-life.ts';

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

/**
 * One life of a resolver's program, seen from the process that asked for it: the order goes out to
 * the worker, what the program finds comes in.
 */
export class ResolverRun {
  readonly #options: ResolverRunOptions;
  readonly #life: RunLife;
  #deadline: Timer;
  #report: ResolveReport | undefined;

  constructor(options: ResolverRunOptions) {
    this.#options = options;
    this.#life = new RunLife({
      contentType: 'video/mp2t',
      timers: options.timers,
      entered: (state) => this.#entered(state),
      ended: () => this.#ended(),
      verdict: () => this.#verdict(),
      lost: resolverLost,
    });
    this.#deadline = this.#due(options.takenMs, () => noWorker('not_taken'));
  }

  get id(): RunId {
    return this.#options.id;
  }
  get streamId(): StreamId {
    return this.#options.streamId;
  }
  get failure(): AppError | undefined {
    return this.#life.failure;
  }

  /** @throws AppError when it failed before its first bytes; the signal's reason. */
  opened(signal: AbortSignal): Promise<UpstreamResponse> {
    return this.#life.opened(signal);
  }

  /** A worker has taken it and wants its order. False when it is over, or has a worker already. */
  async serveInput(response: ServerResponse): Promise<boolean> {
    if (!this.#life.take()) return false;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(this.#options.order));
    return true;
  }

  /** The program's output begins. @returns false when nobody wants it. */
  takeOutput(body: IncomingMessage): boolean {
    return this.#life.takeOutput(body);
  }

  takeReport(report: ResolveReport): void {
    this.#report = report;
    this.#life.lastWords();
  }

  /** Idempotent: ends the program at once. */
  close(): void {
    this.#life.end(undefined);
  }

  #entered(state: RunState): void {
    this.#deadline.cancel();
    if (state === 'starting') this.#deadline = this.#due(this.#options.startMs, resolverLate);
  }

  #verdict(): Verdict | undefined {
    if (this.#report === undefined) return undefined;
    const { failure } = this.#report.ended;
    return { failure: failure === null ? undefined : resolveFailed(failure) };
  }

  #due(delayMs: number, failure: () => AppError): Timer {
    return this.#options.timers.after(delayMs, () => this.#life.end(failure()));
  }

  #ended(): void {
    this.#deadline.cancel();
    this.#options.ended(this);
  }
}
