import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import type { HardwareFallback, RunId, RunReport, WantedRun } from '#transcode';
import type { UpstreamResponse } from '#upstream';
import { noWorker, runFailed, workerLost } from './run-error.ts';
import { RunOutput } from './run-output.ts';
import type { RunSource } from './run-source.ts';

export type RunOptions = {
  readonly id: RunId;
  readonly streamId: StreamId;
  readonly wanted: WantedRun;
  readonly source: RunSource;
  /** Software encodes in place of a device; told once. */
  readonly fellBack: (fallback: HardwareFallback) => void;
  /** How long a worker may take to come, and FFmpeg to give its first bytes. */
  readonly startMs: number;
  /** FFmpeg that is given media and gives none for so long has stalled. */
  readonly staleMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ended: (run: TranscodeRun) => void;
};

/** `asked`: no worker has come yet. `starting`: one has, and no media of it. */
export type RunState = 'asked' | 'starting' | 'running' | 'ended';

/** One run as it is now. */
export type RunSnapshot = {
  readonly id: RunId;
  readonly state: RunState;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly report: RunReport | null;
  /** Code of the failure that ended it, and its reason. */
  readonly code: string | null;
  readonly reason: string | null;
};

const LOOK_MS = 500;
/** What a worker says of an end comes beside the end itself. */
const LAST_WORDS_MS = 1_000;

/**
 * One life of FFmpeg, seen from the process that asked for it: the source's media goes out to the
 * worker, its output comes in. Over with whichever of the two breaks first, and closes both.
 */
export class TranscodeRun {
  readonly #options: RunOptions;
  readonly #opened = Promise.withResolvers<UpstreamResponse>();
  readonly #lastWords = Promise.withResolvers<void>();
  readonly #startedAtMs: number;
  #state: RunState = 'asked';
  #failure: AppError | undefined;
  #endedAtMs: number | null = null;
  #report: RunReport | null = null;
  #output: IncomingMessage | undefined;
  #looking: Timer | undefined;
  #stateSinceMs: number;
  #heardMs: number;
  #sentAtHeard = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.nowMs();
    this.#stateSinceMs = this.#heardMs = options.clock.monotonicMs();
    this.#opened.promise.catch(() => {}); // Its waiter may have left.
    void options.source.failed.then((failure) => this.#end(failure));
    this.#look();
  }

  get id(): RunId {
    return this.#options.id;
  }
  get streamId(): StreamId {
    return this.#options.streamId;
  }
  get state(): RunState {
    return this.#state;
  }
  get wanted(): WantedRun {
    return this.#options.wanted;
  }

  /** @throws AppError when it failed before its first bytes; the signal's reason. */
  opened(signal: AbortSignal): Promise<UpstreamResponse> {
    return orAbort(this.#opened.promise, signal);
  }

  /** A worker has taken it and wants the media. False when it is over, or has a worker already. */
  async serveInput(response: ServerResponse): Promise<boolean> {
    if (this.#state !== 'asked') return false;
    this.#enter('starting');
    await this.#options.source.send(response);
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

  takeReport(report: RunReport): void {
    const before = this.#report;
    if (before !== null && before.ended !== null) return; // One that was under way.
    this.#report = report;
    if (before === null && report.fallback !== null) this.#options.fellBack(report.fallback);
    if (this.#state === 'running' && hasGoneOn(before, report)) this.#heard();
    if (report.ended !== null) this.#lastWords.resolve();
  }

  /** Idempotent: ends worker and upstream at once. */
  close(): void {
    this.#end(undefined);
  }

  snapshot(): RunSnapshot {
    return {
      id: this.id,
      state: this.#state,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
      report: this.#report,
      code: this.#failure?.code ?? null,
      reason: wordOf(this.#failure?.details['reason']),
    };
  }

  #begin(body: IncomingMessage, first: Buffer): void {
    body.pause();
    if (this.#state !== 'starting') return;
    this.#enter('running');
    body.unshift(first);
    body.on('data', () => this.#heard());
    this.#opened.resolve(
      new RunOutput({
        contentType: this.#options.wanted.plan.output.contentType,
        // A run ends by itself when its film does.
        isFilm: true,
        body,
        howItEnded: () => this.#howItEnded(),
        closed: () => this.close(),
      }),
    );
  }

  /** FFmpeg may be content with a file of which it can play nothing. */
  async #bodyOver(): Promise<void> {
    const failure = await this.#howItEnded();
    this.#end(this.#state === 'starting' ? (failure ?? runFailed('input')) : failure);
  }

  /** The worker tells before it ends its output; one that was lost tells nothing. */
  async #howItEnded(): Promise<AppError | undefined> {
    if (this.#state === 'ended') return this.#failure;
    const late = this.#options.timers.after(LAST_WORDS_MS, () => this.#lastWords.resolve());
    await this.#lastWords.promise;
    late.cancel();
    const ended = this.#report?.ended;
    if (ended === undefined || ended === null) return workerLost();
    return ended.failure === null ? undefined : runFailed(ended.failure);
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#sentAtHeard = this.#options.source.sentBytes;
  }

  #enter(state: RunState): void {
    this.#state = state;
    this.#stateSinceMs = this.#options.clock.monotonicMs();
    this.#heard();
  }

  #look(): void {
    this.#looking = this.#options.timers.after(LOOK_MS, () => {
      const failure = this.#overdue();
      if (failure === undefined) this.#look();
      else this.#end(failure);
    });
  }

  /** Output that is held up by us is no fault of FFmpeg's; nor is it while it gets no media. */
  #overdue(): AppError | undefined {
    const { clock, source, startMs, staleMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#state === 'asked') {
      return nowMs - this.#stateSinceMs > startMs ? noWorker('not_taken') : undefined;
    }
    if (this.#output?.isPaused() === true && this.#state === 'running') this.#heard();
    const isFed = source.sentBytes > this.#sentAtHeard;
    const limitMs = this.#state === 'starting' ? startMs : staleMs;
    return isFed && nowMs - this.#heardMs > limitMs ? runFailed('stalled') : undefined;
  }

  #end(failure: AppError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#failure = failure;
    this.#endedAtMs = this.#options.clock.nowMs();
    this.#looking?.cancel();
    this.#options.source.close();
    this.#output?.destroy();
    this.#opened.reject(failure ?? workerLost());
    this.#options.ended(this);
  }
}

/** FFmpeg goes on also while what it makes has not filled a fragment. */
const hasGoneOn = (before: RunReport | null, now: RunReport): boolean =>
  (now.progress?.outTimeMs ?? 0) > (before?.progress?.outTimeMs ?? 0);

const wordOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
