import type { Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { ResolveJob, ResolveOrder } from '#resolve';
import { newRunId } from '#transcode';
import type { RunId } from '#transcode';
import type { UpstreamResponse } from '#upstream';
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
  readonly #runs = new Map<RunId, ResolverRun>();
  #isClosed = false;

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
    const run = this.#add(streamId, order);
    const leave = (): void => run.close();
    signal.addEventListener('abort', leave, { once: true });
    try {
      if (signal.aborted || this.#isClosed) run.close();
      const { program } = order.plan;
      await this.#options.queue.ask({
        v: 1,
        runId: run.id,
        apiUrl: this.#options.apiUrl(),
        program,
      });
      return await run.opened(signal);
    } catch (error) {
      run.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** For workers; undefined when it is over. */
  find(id: RunId): ResolverRun | undefined {
    return this.#runs.get(id);
  }

  /** Ends every run. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const run of this.#runs.values()) run.close();
  }

  #add(streamId: StreamId, order: ResolveOrder): ResolverRun {
    const { takenMs, startMs, timers } = this.#options;
    const ended = (over: ResolverRun): void => this.#ended(over);
    const run = new ResolverRun({
      id: newRunId(),
      streamId,
      order,
      takenMs,
      startMs,
      timers,
      ended,
    });
    this.#runs.set(run.id, run);
    return run;
  }

  #ended(run: ResolverRun): void {
    this.#runs.delete(run.id);
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
