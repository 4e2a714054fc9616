import { UpstreamError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { Splicer } from '#mpegts';
import { Relay } from '#relay';
import type { ViewerSink } from '#relay';
import type { MediaKind, Source, SourceWalk, Stream } from '#streams';
import type { UpstreamClient, UpstreamTimeouts } from '#upstream';
import type { LiveDetection } from './detection.ts';
import { detectionOf } from './detection.ts';
import { UpstreamPump, wrongType } from './upstream-pump.ts';
import type { PumpEnd } from './upstream-pump.ts';

export type LiveFeedOptions = {
  readonly stream: Stream;
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  readonly stallMs: number;
  readonly detection: LiveDetection;
  readonly budgetBytes: number;
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly served: (sink: ViewerSink, bytes: number) => void;
};

/** What a feed turned out to carry once its first bytes came. */
export type FeedStart =
  | { readonly kind: 'live'; readonly contentType: string }
  | { readonly kind: Exclude<MediaKind, 'live'> };

/**
 * One relay and the upstream that feeds it, through every change of source. Opens the upstream when
 * it is made, closes it when it is closed or has used up its sources.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #relay: Relay;
  /** Makes one stream of all sources, so that players see no seam. */
  readonly #splicer = new Splicer();
  readonly #walk: SourceWalk;
  readonly #closed = new AbortController();
  readonly #start = Promise.withResolvers<FeedStart>();
  readonly #ended = Promise.withResolvers<AppError | undefined>();
  #attempt = new AbortController();
  #pump: UpstreamPump | undefined;
  #hasStarted = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#walk = options.stream.walk();
    this.#relay = new Relay({
      isLossless: !options.isShared,
      budgetBytes: options.budgetBytes,
      timers: options.timers,
      resume: () => this.#pump?.resume(),
      served: options.served,
      tables: () => this.#splicer.tables(),
    });
    this.#start.promise.catch(() => {}); // Its waiters may all have left.
    void this.#run();
  }

  /** Settles with the first media bytes; rejects when no source gave any. */
  get started(): Promise<FeedStart> {
    return this.#start.promise;
  }

  /** Resolves when the feed is over: with the failure, or without when it was closed. */
  get ended(): Promise<AppError | undefined> {
    return this.#ended.promise;
  }

  attach(sink: ViewerSink): void {
    this.#relay.attach(sink);
  }

  detach(sink: ViewerSink): void {
    this.#relay.detach(sink);
  }

  /** Ends the upstream at once, also one that is still being opened. Idempotent. */
  close(): void {
    this.#closed.abort();
    this.#attempt.abort();
    this.#pump?.close();
    this.#relay.close();
    this.#ended.resolve(undefined);
  }

  async #run(): Promise<void> {
    const stopListening = this.#walk.onMoved(() => this.#attempt.abort());
    try {
      await this.#readSources();
      this.#ended.resolve(undefined);
    } catch (error) {
      const failure = toAppError(error);
      this.#start.reject(failure);
      this.#ended.resolve(this.#closed.signal.aborted ? undefined : failure);
    } finally {
      stopListening();
      this.#relay.flush();
    }
  }

  /** Returns when the source proved to be another kind of media or the feed was closed. */
  async #readSources(): Promise<void> {
    const { signal } = this.#closed;
    let source = this.#walk.current;
    while (!signal.aborted) {
      const end = await this.#readSource(source);
      if (signal.aborted) return;
      if (end === 'moved') source = this.#walk.current;
      else if ('failure' in end) source = await this.#next(source, end.failure);
      else return this.#start.resolve({ kind: end.otherKind });
    }
  }

  #next(failed: Source, failure: AppError): Promise<Source> {
    const { stream, logger } = this.#options;
    logger.info('source failed', {
      streamId: stream.id,
      index: failed.index,
      code: failure.code,
      ...failure.details,
    });
    return this.#walk.failed(failed, failure, this.#closed.signal);
  }

  async #readSource(source: Source): Promise<PumpEnd | 'moved'> {
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    if (this.#closed.signal.aborted) return 'moved';
    try {
      const pump = await this.#open(source, signal);
      this.#pump = pump;
      const moved = Promise.withResolvers<'moved'>();
      signal.addEventListener('abort', () => moved.resolve('moved'), { once: true });
      const end = await Promise.race([pump.run(), moved.promise]);
      return this.#judgeEnd(end);
    } catch (error) {
      return signal.aborted ? 'moved' : { failure: toAppError(error) };
    } finally {
      this.#pump?.close();
      this.#pump = undefined;
    }
  }

  /** In the middle of a stream another kind of media is no more use than none. */
  #judgeEnd(end: PumpEnd | 'moved'): PumpEnd | 'moved' {
    const isLate = end !== 'moved' && 'otherKind' in end && this.#hasStarted;
    return isLate ? { failure: wrongType() } : end;
  }

  async #open(source: Source, signal: AbortSignal): Promise<UpstreamPump> {
    const { stream, upstream, timeouts, stallMs, clock, timers } = this.#options;
    const { url, headers } = source;
    const response = await upstream.open({ method: 'GET', url, headers, timeouts }, signal);
    if (response.status < 200 || response.status > 299) {
      response.close();
      throw new UpstreamError('UPSTREAM_STATUS', {
        message: `The source answered with status ${response.status}.`,
        details: { status: response.status },
      });
    }
    const target = {
      begin: (contentType: string) => this.#begin(contentType),
      push: (parts: readonly Buffer[]) => this.#relayed(this.#splicer.push(parts, clock.nowMs())),
      facts: () => this.#splicer.facts,
    };
    const detection = detectionOf(stream, this.#options.detection);
    return new UpstreamPump({ response, target, stallMs, detection, clock, timers });
  }

  /** The keyframes are those of the splicer's last output. */
  #relayed(parts: readonly Buffer[]): boolean {
    return this.#relay.push({ parts, keyframes: this.#splicer.joinOffsets });
  }

  #begin(contentType: string): void {
    this.#walk.flowing();
    if (this.#hasStarted) this.#relayed(this.#splicer.switchSource());
    this.#hasStarted = true;
    this.#start.resolve({ kind: 'live', contentType });
  }
}
