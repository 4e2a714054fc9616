import type { Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { ResolveJob, ResolveOrder } from '#resolve';
import { newRunId } from '#transcode';
import type { RunId } from '#transcode';
import type { UpstreamResponse } from '#upstream';
import { LivingRuns } from './living-runs.ts';
import { ResolverRun } from './resolver-run.ts';

/** Hands resolver runs to workers. */
export interface ResolveQueue {
  /** @throws DependencyError `QUEUE_UNAVAILABLE` */
  ask(job: ResolveJob<RunId>): Promise<void>;
  /** Takes back a job that no worker has begun. Never throws. */
  cancel(runId: RunId): Promise<void>;
}

export type ResolverDeskOptions = {
  readonly queue: ResolveQueue;
  /** Where workers reach this process; known once it listens. */
  readonly apiUrl: () => string;
  readonly takenMs: number;
  readonly startMs: number;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** The resolver runs that this process has asked for, and where workers come for them. */
export class ResolverDesk {
  readonly #options: ResolverDeskOptions;
  readonly #runs = new LivingRuns<ResolverRun>();

  constructor(options: ResolverDeskOptions) {
    this.#options = options;
  }

  /**
   * Asks a worker for what a page plays, and waits for the first bytes of it. The run lasts until
   * the answer is closed or `signal` aborts before there is one.
   * @throws AppError `RESOLVER_FAILED` and its kin, `WORKERS_AT_CAPACITY`, `QUEUE_UNAVAILABLE`.
   */
  async open(
    streamId: StreamId,
    order: ResolveOrder,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const run = this.#make(streamId, order);
    const { queue, apiUrl } = this.#options;
    const job = { v: 1, runId: run.id, program: order.plan.program } as const;
    return this.#runs.open(run, () => queue.ask({ ...job, apiUrl: apiUrl() }), signal);
  }

  /** For workers; undefined when it is over. */
  find(id: RunId): ResolverRun | undefined {
    return this.#runs.find(id);
  }

  /** Ends every run. Idempotent. */
  close(): void {
    this.#runs.close();
  }

  #make(streamId: StreamId, order: ResolveOrder): ResolverRun {
    const { takenMs, startMs, timers } = this.#options;
    return new ResolverRun({
      id: newRunId(),
      streamId,
      order,
      takenMs,
      startMs,
      timers,
      ended: (run) => this.#ended(run),
    });
  }

  #ended(run: ResolverRun): void {
    this.#runs.over(run);
    const { code = null, details } = run.failure ?? {};
    const reason = details?.['reason'] ?? null;
    this.#options.logger.info('resolver run ended', {
      streamId: run.streamId,
      runId: run.id,
      code,
      reason,
    });
    void this.#options.queue.cancel(run.id);
  }
}
