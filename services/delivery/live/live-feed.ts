import { toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { ViewerSink } from '#relay';
import type { MediaKind, Source, SourceWalk } from '#streams';
import { detectionOf } from './detection.ts';
import type { SourceDetection } from './detection.ts';
import { feedSlate } from './feed-slate.ts';
import { GapMeter } from './gap-meter.ts';
import type { LiveFeedOptions } from './live-feed-options.ts';
import { openSource } from './open-source.ts';
import type { SlateShow } from './slate-show.ts';
import { SpareKeeper } from './spare-keeper.ts';
import { SplicedRelay } from './spliced-relay.ts';
import { UpstreamPump, wrongType } from './upstream-pump.ts';
import type { PumpEnd, PumpTarget } from './upstream-pump.ts';

/** What a feed turned out to carry once its first bytes came. */
export type FeedStart =
  | { readonly kind: 'live'; readonly contentType: string; readonly hasEnd: boolean }
  | { readonly kind: Exclude<MediaKind, 'live'> };

/** For a place at the next source; so long it takes to close a connection that nobody watches. */
const SWITCH_MS = 100;

/**
 * One relay and the upstream that feeds it, through every change of source. Opens the upstream when
 * it is made, closes it when it is closed or has used up its sources.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #relay: SplicedRelay;
  readonly #walk: SourceWalk;
  readonly #spares: SpareKeeper;
  readonly #gap: GapMeter;
  readonly #slate: SlateShow;
  readonly #detection: SourceDetection;
  readonly #closed = new AbortController();
  readonly #start = Promise.withResolvers<FeedStart>();
  readonly #ended = Promise.withResolvers<AppError | undefined>();
  #attempt = new AbortController();
  #reading: Source | undefined;
  #pump: UpstreamPump | undefined;
  #hasStarted = false;
  /** A film is over, to its last picture. */
  hasPlayed = false;
  /** Nothing of the source in use has gone to viewers yet. */
  #isAwaited = true;

  constructor(options: LiveFeedOptions) {
    const { stream, standby, budgetBytes, isShared } = options;
    this.#options = options;
    this.#walk = options.walkOf({ as: 'live', holdsOut: (failure) => this.#holdsOut(failure) });
    this.#slate = feedSlate({
      options,
      relay: () => this.#relay,
      hasStarted: () => this.#hasStarted,
      told: (trigger) => this.#walk.slate(trigger),
      timedOut: (failure) => this.#giveUp(failure),
    });
    this.#gap = new GapMeter(options.clock);
    this.#detection = detectionOf(stream, options.detection);
    this.#relay = new SplicedRelay({
      ...options,
      isLossless: !isShared,
      resume: () => this.#resume(),
    });
    this.#spares = new SpareKeeper({
      ...options,
      detection: this.#detection,
      streamId: stream.id,
      walk: this.#walk,
      mode: standby,
      maxBytes: budgetBytes,
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

  /** What to tell a viewer that comes while none can be served; undefined while all is well. */
  get refusal(): AppError | undefined {
    return this.#slate.refusal;
  }

  /** What the source in use is asked with; it knows the limit of its account. */
  get headers(): Source['headers'] {
    return this.#reading?.headers ?? {};
  }

  attach(sink: ViewerSink): void {
    this.#slate.joined();
    this.#relay.attach(sink);
  }

  detach(sink: ViewerSink): void {
    this.#relay.detach(sink);
  }

  /** Ends every upstream at once, also one that is still being opened. Idempotent. */
  close(): void {
    this.#closed.abort();
    this.#attempt.abort();
    this.#pump?.close();
    this.#slate.close();
    this.#spares.close();
    this.#walk.close();
    this.#relay.close();
    this.#ended.resolve(undefined);
  }

  async #run(): Promise<void> {
    const stopListening = this.#walk.onMoved((source) => this.#follow(source));
    try {
      await this.#readSources();
      this.#ended.resolve(undefined);
    } catch (error) {
      const failure = toAppError(error);
      this.#start.reject(failure);
      await this.#relay.drained(); // Viewers are given what is kept for them.
      this.#ended.resolve(this.#closed.signal.aborted ? undefined : failure);
    } finally {
      stopListening();
      this.#slate.close();
      this.#spares.close();
      this.#walk.close();
      this.#relay.flush();
    }
  }

  /** We may have found out by ourselves, and be there already. */
  #follow({ url, index, headers }: Source): void {
    const isThere = this.#reading?.url === url && this.#reading.index === index;
    if (isThere) return;
    // What works is not left for a provider that has no place.
    if (this.#options.allowance.hasRoom(headers, this.headers)) this.#attempt.abort();
  }

  /** Returns when the source proved to be another kind of media or the feed was closed. */
  async #readSources(): Promise<void> {
    const { signal } = this.#closed;
    let source = await this.#walk.ready(signal);
    while (!signal.aborted) {
      const end = await this.#readSource(source);
      if (signal.aborted) return;
      if (end === 'moved') source = await this.#walk.ready(signal);
      else if ('hasPlayed' in end) return this.#played();
      else if ('failure' in end) source = await this.#next(source, end.failure);
      else return this.#start.resolve({ kind: end.otherKind });
    }
  }

  #played(): void {
    this.hasPlayed = true;
    this.#relay.cut();
    this.#start.reject(wrongType()); // Where not even a first one came.
  }

  #next(failed: Source, failure: AppError): Promise<Source> {
    const { stream, logger } = this.#options;
    logger.info('source failed', {
      streamId: stream.id,
      index: failed.index,
      code: failure.code,
      ...failure.details,
    });
    this.#slate.failed(failure);
    return this.#walk.failed(failed, failure, this.#closed.signal);
  }

  async #readSource(source: Source): Promise<PumpEnd | 'moved'> {
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    if (this.#closed.signal.aborted) return 'moved';
    this.#reading = source;
    try {
      this.#gap.asked();
      const pump = await this.#pumpOf(source, signal);
      signal.throwIfAborted();
      const moved = Promise.withResolvers<'moved'>();
      signal.addEventListener('abort', () => moved.resolve('moved'), { once: true });
      const end = await Promise.race([pump.ended, moved.promise]);
      return this.#judgeEnd(end);
    } catch (error) {
      return signal.aborted ? 'moved' : { failure: toAppError(error) };
    } finally {
      this.#leavePump();
    }
  }

  #leavePump(): void {
    const pump = this.#pump;
    this.#pump = undefined;
    pump?.close();
    this.#spares.halted();
    if (pump?.hasBegun && !this.#isAwaited) this.#gap.lost(pump.lastByteMs);
    if (this.#hasStarted) {
      this.#slate.missing(pump?.lastByteMs ?? this.#options.clock.monotonicMs());
    }
  }

  /** In the middle of a stream another kind of media is no more use than none. */
  #judgeEnd(end: PumpEnd | 'moved'): PumpEnd | 'moved' {
    if (end !== 'moved' && 'failure' in end) this.#spares.broke(end.failure);
    const isLate = end !== 'moved' && 'otherKind' in end && this.#hasStarted;
    return isLate ? { failure: wrongType() } : end;
  }

  /** An upstream of this source that is being read: the one held ready, or a new one. */
  async #pumpOf(source: Source, signal: AbortSignal): Promise<UpstreamPump> {
    const target = this.#target();
    const taken = (pump: UpstreamPump): void => {
      this.#pump = pump;
    };
    const spare = this.#spares.take(source);
    if (spare !== undefined) return spare.take(target, taken, signal);
    const options = { ...this.#options, patienceMs: this.#patienceMs, detection: this.#detection };
    const response = await openSource(options, source, signal);
    const pump = new UpstreamPump({ ...options, response, target });
    taken(pump);
    void pump.run();
    return pump;
  }

  /** With a picture and somewhere else to go, nobody waits for a provider at its limit. */
  get #patienceMs(): number | undefined {
    return this.#hasStarted && this.#options.stream.hasOtherSource ? SWITCH_MS : undefined;
  }

  #target(): PumpTarget {
    return {
      begin: (contentType) => this.#begin(contentType),
      push: (parts) => this.#splice(parts),
      restart: () => this.#restart(),
      facts: () => this.#slate.facts ?? this.#relay.facts,
      suspected: (isSuspected) => this.#spares.suspected(isSuspected),
    };
  }

  /** A source gives media when some of it goes to viewers: that may take until its first keyframe. */
  #splice(parts: readonly Buffer[]): boolean {
    const admitted = this.#slate.admit(parts);
    if (admitted === undefined) return true;
    const spliced = this.#relay.splice(admitted);
    if (!this.#isAwaited || spliced.length === 0) return this.#relay.send(spliced);
    this.#isAwaited = false;
    this.#slate.over();
    this.#walk.flowing(this.#gap.begun());
    const goesOn = this.#relay.send(spliced);
    this.#relay.flush(); // Viewers have had nothing for long enough.
    return goesOn;
  }

  #begin(contentType: string): void {
    if (this.#hasStarted && !this.#slate.isOn) this.#relay.cut();
    this.#slate.sourceBegan();
    this.#isAwaited = true;
    this.#spares.begun();
    this.#hasStarted = true;
    this.#start.resolve({ kind: 'live', contentType, hasEnd: this.#pump?.hasEnd ?? false });
  }

  /** The source goes on with other times and counters. */
  #restart(): void {
    if (!this.#slate.isOn) this.#relay.cut();
  }

  #resume(): void {
    this.#pump?.resume();
    this.#slate.resume();
  }

  /** Viewers who have a picture, or may see a slate instead, are kept while there is one. */
  #holdsOut(failure: AppError): boolean {
    if (this.#hasStarted) return this.#slate.canShow(failure);
    if (!this.#slate.showToNew(failure)) return false;
    this.#hasStarted = true;
    this.#start.resolve({ kind: 'live', contentType: 'video/mp2t', hasEnd: false });
    return true;
  }

  #giveUp(failure: AppError): void {
    this.#ended.resolve(this.#walk.giveUp(failure));
    this.#relay.flush();
    this.close();
  }
}
