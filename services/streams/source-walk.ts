import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { sleep } from '#kernel/clock';
import type { Clock, Timers } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import { decide, failoverReason, failureClassOf } from '#upstream';
import type { FailoverStage, RetryPolicy } from '#upstream';
import type { SourceCursor } from './source-cursor.ts';
import type { Source, SourceWalk } from './viewing.ts';

/** Media must flow for this long before an outage counts as over: a short good spell refunds nothing. */
const GOOD_SPELL_MS = 10_000;

/** The answer to one failure, for all requests that met it; dropped when nobody waits for it. */
type Answer = {
  readonly next: Promise<Source>;
  readonly unwanted: AbortController;
  waiting: number;
};

type OutageRecord = { sinceMs: number; retries: number; failovers: number };

export type WalkOptions = {
  readonly cursor: SourceCursor;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stage: FailoverStage;
  /** `User-Agent` and the stream's own headers, as they are now. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** An outage has used up its tries. */
  readonly gaveUp: (error: AppError, retries: number) => void;
  /** A source failed; counted, whatever is done about it. */
  readonly erred: () => void;
  readonly onMoved: (listener: () => void) => () => void;
};

/** One reader's way through the sources: counts its own retries, moves the common cursor. */
export class CursorWalk implements SourceWalk {
  readonly #options: WalkOptions;
  #source: Source;
  #generation: number;
  #outage: OutageRecord | undefined;
  #flowingSinceMs: number | undefined;
  #hasPicture = false;
  #answer: Answer | undefined;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#generation = options.cursor.generation;
    this.#source = this.#sourceNow();
  }

  get current(): Source {
    if (this.#generation !== this.#options.cursor.generation) this.#adopt();
    return this.#source;
  }

  flowing(): void {
    this.#hasPicture = true;
    this.#flowingSinceMs ??= this.#options.clock.monotonicMs();
  }

  async failed(failed: Source, error: AppError, signal: AbortSignal): Promise<Source> {
    signal.throwIfAborted();
    this.#options.erred();
    if (failed !== this.#source) return this.current;
    const answer = (this.#answer ??= this.#beginAnswer(error));
    answer.waiting += 1;
    try {
      return await orAbort(answer.next, signal);
    } finally {
      answer.waiting -= 1;
      if (answer.waiting === 0) answer.unwanted.abort();
    }
  }

  onMoved(listener: (source: Source) => void): () => void {
    return this.#options.onMoved(() => listener(this.current));
  }

  #beginAnswer(error: AppError): Answer {
    const unwanted = new AbortController();
    const next = this.#next(error, unwanted.signal).finally(() => {
      this.#answer = undefined;
    });
    return { next, unwanted, waiting: 0 };
  }

  async #next(error: AppError, signal: AbortSignal): Promise<Source> {
    const outage = this.#outageNow();
    const hadFlowed = this.#flowingSinceMs !== undefined;
    this.#flowingSinceMs = undefined;
    if (this.#generation !== this.#options.cursor.generation) {
      outage.failovers += 1; // Another reader has moved the stream on: that counts as our switch.
      return this.current;
    }
    const decision = decide(this.#options.policy, {
      failure: failureClassOf(error),
      hadFlowed,
      hasPicture: this.#hasPicture,
      retries: outage.retries,
      failovers: outage.failovers,
      alternates: this.#options.cursor.alternates,
      elapsedMs: this.#options.clock.monotonicMs() - outage.sinceMs,
    });
    if (decision.action === 'give-up') throw this.#giveUp(error, outage);
    if (decision.delayMs > 0) await sleep(this.#options.timers, decision.delayMs, signal);
    if (decision.action === 'failover') await this.#moveOn(error, outage, signal);
    else outage.retries += 1;
    this.#adopt();
    return this.#source;
  }

  async #moveOn(error: AppError, outage: OutageRecord, signal: AbortSignal): Promise<void> {
    if (this.#generation === this.#options.cursor.generation) {
      const stage = error.details['stage'] === 'segment' ? 'segment' : this.#options.stage;
      const advancing = this.#options.cursor.advance(failoverReason(stage, error), error);
      // A resolver that fails names no other source either.
      const moved = await orAbort(advancing, signal).catch(() => false);
      signal.throwIfAborted();
      if (!moved) throw this.#giveUp(error, outage);
    }
    outage.failovers += 1;
    outage.retries = 0;
  }

  #outageNow(): OutageRecord {
    const now = this.#options.clock.monotonicMs();
    const since = this.#flowingSinceMs;
    if (since !== undefined && now - since >= GOOD_SPELL_MS) this.#outage = undefined;
    this.#outage ??= { sinceMs: now, retries: 0, failovers: 0 };
    return this.#outage;
  }

  #adopt(): void {
    this.#generation = this.#options.cursor.generation;
    this.#source = this.#sourceNow();
  }

  #sourceNow(): Source {
    const { cursor, headers } = this.#options;
    return { url: cursor.url, index: cursor.index, headers: headers() };
  }

  #giveUp(error: AppError, outage: OutageRecord): AppError {
    this.#outage = undefined;
    this.#options.gaveUp(error, outage.retries);
    if (outage.failovers === 0) return error; // The one source that there is: its own failure says most.
    return new UpstreamError('ALL_SOURCES_FAILED', {
      message: 'Every source of this stream failed.',
      details: { sources: outage.failovers + 1, last: error.code },
      cause: error,
    });
  }
}
