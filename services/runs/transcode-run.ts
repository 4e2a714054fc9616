import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { HardwareFallback, RunId, RunReport, WantedRun } from '#transcode';
import type { UpstreamResponse } from '#upstream';
import { noWorker, runFailed, workerLost } from './run-error.ts';
import { RunLife } from './run-life.ts';
import type { RunState, Verdict } from './run-life.ts';
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

/**
 * One life of FFmpeg, seen from the process that asked for it: the source's media goes out to the
 * worker, its output comes in. Over with whichever of the two breaks first, and closes both.
 */
export class TranscodeRun {
  readonly #options: RunOptions;
  readonly #life: RunLife;
  readonly #startedAtMs: number;
  #endedAtMs: number | null = null;
  #report: RunReport | null = null;
  #looking: Timer | undefined;
  #stateSinceMs: number;
  #heardMs: number;
  #sentAtHeard = 0;

  constructor(options: RunOptions) {
    const { wanted, source, clock, timers } = options;
    this.#options = options;
    this.#startedAtMs = clock.nowMs();
    this.#stateSinceMs = this.#heardMs = clock.monotonicMs();
    this.#life = new RunLife({
      contentType: wanted.plan.output.contentType,
      // A run ends by itself when its film does.
      isFilm: true,
      timers,
      entered: (state) => this.#entered(state),
      ended: () => this.#ended(),
      verdict: () => this.#verdict(),
      lost: workerLost,
    });
    void source.failed.then((failure) => this.#life.end(failure));
    this.#look();
  }

  get id(): RunId {
    return this.#options.id;
  }
  get streamId(): StreamId {
    return this.#options.streamId;
  }
  get state(): RunState {
    return this.#life.state;
  }
  get wanted(): WantedRun {
    return this.#options.wanted;
  }

  /** @throws AppError when it failed before its first bytes; the signal's reason. */
  opened(signal: AbortSignal): Promise<UpstreamResponse> {
    return this.#life.opened(signal);
  }

  /** A worker has taken it and wants the media. False when it is over, or has a worker already. */
  async serveInput(response: ServerResponse): Promise<boolean> {
    if (!this.#life.take()) return false;
    await this.#options.source.send(response);
    return true;
  }

  /** The worker's output begins. @returns false when nobody wants it. */
  takeOutput(body: IncomingMessage): boolean {
    return this.#life.takeOutput(body);
  }

  takeReport(report: RunReport): void {
    const before = this.#report;
    if (before !== null && before.ended !== null) return; // One that was under way.
    this.#report = report;
    if (before === null && report.fallback !== null) this.#options.fellBack(report.fallback);
    if (this.state === 'running' && hasGoneOn(before, report)) this.#heard();
    if (report.ended !== null) this.#life.lastWords();
  }

  /** Idempotent: ends worker and upstream at once. */
  close(): void {
    this.#life.end(undefined);
  }

  snapshot(): RunSnapshot {
    const { state, failure } = this.#life;
    return {
      id: this.id,
      state,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
      report: this.#report,
      code: failure?.code ?? null,
      reason: wordOf(failure?.details['reason']),
    };
  }

  #verdict(): Verdict | undefined {
    const ended = this.#report?.ended;
    if (ended === undefined || ended === null) return undefined;
    if (ended.failure !== null) return { failure: runFailed(ended.failure) };
    // FFmpeg may be content with a file of which it can play nothing.
    return { failure: this.state === 'starting' ? runFailed('input') : undefined };
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#sentAtHeard = this.#options.source.sentBytes;
  }

  #entered(state: RunState): void {
    this.#stateSinceMs = this.#options.clock.monotonicMs();
    this.#heard();
    if (state === 'running') this.#life.output?.on('data', () => this.#heard());
  }

  #look(): void {
    this.#looking = this.#options.timers.after(LOOK_MS, () => {
      const failure = this.#overdue();
      if (failure === undefined) this.#look();
      else this.#life.end(failure);
    });
  }

  /** Output that is held up by us is no fault of FFmpeg's; nor is it while it gets no media. */
  #overdue(): AppError | undefined {
    const { clock, source, startMs, staleMs } = this.#options;
    const { state, output } = this.#life;
    const nowMs = clock.monotonicMs();
    if (state === 'asked') {
      return nowMs - this.#stateSinceMs > startMs ? noWorker('not_taken') : undefined;
    }
    if (output?.isPaused() === true && state === 'running') this.#heard();
    const isFed = source.sentBytes > this.#sentAtHeard;
    const limitMs = state === 'starting' ? startMs : staleMs;
    return isFed && nowMs - this.#heardMs > limitMs ? runFailed('stalled') : undefined;
  }

  #ended(): void {
    this.#endedAtMs = this.#options.clock.nowMs();
    this.#looking?.cancel();
    this.#options.source.close();
    this.#options.ended(this);
  }
}

/** FFmpeg goes on also while what it makes has not filled a fragment. */
const hasGoneOn = (before: RunReport | null, now: RunReport): boolean =>
  (now.progress?.outTimeMs ?? 0) > (before?.progress?.outTimeMs ?? 0);

const wordOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
