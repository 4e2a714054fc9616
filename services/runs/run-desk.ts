import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { Stream } from '#streams';
import { admission, isFragmentedHls, newRunId } from '#transcode';
import type { RunHolders, RunId, RunQueue, TranscodePlan, WorkerBoard } from '#transcode';
import type { UpstreamResponse } from '#upstream';
import { LivingRuns } from './living-runs.ts';
import { openRemoteRun } from './remote-run.ts';
import type { RemoteRunOptions } from './remote-run.ts';
import { NO_RESOURCE, noWorker } from './run-error.ts';
import { openRunSource } from './run-source.ts';
import type { RunSource, RunSources } from './run-source.ts';
import { TranscodeRun } from './transcode-run.ts';
import type { RunSnapshot } from './transcode-run.ts';
import { inWholeUnits } from './whole-units.ts';

export type RunDeskOptions = {
  readonly queue: RunQueue;
  readonly board: WorkerBoard;
  readonly holders: RunHolders;
  readonly remote: RemoteRunOptions;
  readonly sources: RunSources;
  /** Where workers reach this process; known once it listens. */
  readonly apiUrl: () => string;
  readonly startMs: number;
  readonly staleMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

export type RunRequest = {
  readonly stream: Stream;
  readonly plan: TranscodePlan;
  readonly softwareOnly: boolean;
};

/** Runs of one stream that are kept for whoever wants to know why they ended. */
const KEPT_PER_STREAM = 5;
const KEPT_STREAMS = 200;

/** The runs that this process has asked for, and where workers come for them. */
export class RunDesk {
  readonly #options: RunDeskOptions;
  readonly #runs = new LivingRuns<TranscodeRun>();
  readonly #history = new Map<StreamId, readonly RunSnapshot[]>();

  constructor(options: RunDeskOptions) {
    this.#options = options;
  }

  /**
   * Opens the stream's media, asks for a worker, and waits for the first bytes of its output. The
   * run lasts until the answer is closed or `signal` aborts before there is one.
   * @throws AppError when the sources gave nothing, `WORKERS_AT_CAPACITY`, `TRANSCODE_FAILED`,
   *   `TRANSCODE_STALLED`, `QUEUE_UNAVAILABLE`.
   */
  async open(request: RunRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const response = await this.#open(request, signal);
    return isFragmentedHls(request.plan) ? inWholeUnits(response) : response;
  }

  async #open(request: RunRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const { stream, plan } = request;
    const { remote, apiUrl } = this.#options;
    // What nobody can join is made for each viewer, and so wherever the viewer is.
    if (!plan.output.isJoinable) return this.#openHere(request, signal);
    const holder = await this.#options.holders.take(stream.id, apiUrl());
    if (holder === apiUrl()) return this.#openHere(request, signal);
    return openRemoteRun(remote, { holder, streamId: stream.id }, signal);
  }

  async #openHere(request: RunRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const { stream, plan, softwareOnly } = request;
    try {
      await this.#admit(request);
    } catch (error) {
      this.#release(stream.id);
      throw error;
    }
    const source = await openRunSource(this.#options.sources, stream, signal);
    const run = this.#make(request, source);
    const { queue, apiUrl } = this.#options;
    const job = { v: 1, runId: run.id, plan, isPaced: source.isPaced, softwareOnly } as const;
    return this.#runs.open(run, () => queue.ask({ ...job, apiUrl: apiUrl() }), signal);
  }

  /** For workers; undefined when it is over. */
  find(id: RunId): TranscodeRun | undefined {
    return this.#runs.find(id);
  }

  /** The runs of a stream, the oldest first, those under way last. */
  runsOf(id: StreamId): readonly RunSnapshot[] {
    const living = [...this.#runs].filter(({ streamId }) => streamId === id);
    return [...(this.#history.get(id) ?? []), ...living.map((run) => run.snapshot())];
  }

  /** Ends every run. Idempotent. */
  close(): void {
    this.#runs.close();
  }

  /** Says at once what waiting would only say later. What the board does not know is waited for. */
  async #admit(request: RunRequest): Promise<void> {
    const workers = await this.#options.board.list();
    const taken = new Set(workers.flatMap(({ runs }) => runs));
    const waiting = [...this.#runs]
      .filter(({ id, state }) => state === 'asked' && !taken.has(id))
      .map(({ wanted }) => wanted);
    const lack = admission(workers, waiting, request);
    if (lack === undefined) return;
    throw noWorker(lack === 'no_worker' ? lack : NO_RESOURCE[lack]);
  }

  #make({ stream, plan, softwareOnly }: RunRequest, source: RunSource): TranscodeRun {
    const { startMs, staleMs, clock, timers } = this.#options;
    return new TranscodeRun({
      id: newRunId(),
      streamId: stream.id,
      wanted: { plan, softwareOnly },
      source,
      fellBack: (fallback) => stream.fellBack(fallback),
      startMs,
      staleMs,
      clock,
      timers,
      ended: (run) => this.#ended(run),
    });
  }

  #ended(run: TranscodeRun): void {
    this.#runs.over(run);
    const snapshot = run.snapshot();
    const { id, code, reason } = snapshot;
    this.#options.logger.info('run ended', { streamId: run.streamId, runId: id, code, reason });
    const kept = [...(this.#history.get(run.streamId) ?? []), snapshot].slice(-KEPT_PER_STREAM);
    this.#history.delete(run.streamId);
    this.#history.set(run.streamId, kept);
    const [oldest] = this.#history.keys();
    if (this.#history.size > KEPT_STREAMS && oldest !== undefined) this.#history.delete(oldest);
    void this.#options.queue.cancel(id);
    this.#release(run.streamId);
  }

  #release(id: StreamId): void {
    const isInUse = [...this.#runs].some(({ streamId }) => streamId === id);
    if (!isInUse) this.#options.holders.release(id, this.#options.apiUrl());
  }
}
