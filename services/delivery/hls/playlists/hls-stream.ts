import { AppError, MediaError, UpstreamError } from '#kernel/app-error';
import type { HandleCodec, Target } from '#hls';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { LowLatencyMode, MediaKind, Source, SourceWalk, Stream } from '#streams';
import { failureClassOf, statusOf } from '#upstream';
import type { PlaylistClient } from './fetch-playlist.ts';
import { FilmMirror } from './film-mirror.ts';
import { Handover } from './handover.ts';
import type { Cutter } from './handover.ts';
import { KeptNumbers } from './kept-numbers.ts';
import { ListedSegments } from './listed-segments.ts';
import { LiveTracks } from './live-tracks.ts';
import { Lru, sourceTagOf, tagOfUrl } from '#delivery/viewing';
import type { NumberStore } from './number-store.ts';
import { Overlaps } from './overlaps.ts';
import { PlaylistAnswers } from './playlist-answers.ts';
import type { PlaylistCounts, PlaylistQuestion } from './playlist-answers.ts';
import type { PostedPlaylist } from './playlist-board.ts';
import { PlaylistFinder, isLost } from './playlist-finder.ts';
import { PlaylistLoader } from './playlist-loader.ts';
import type { LoadedPlaylist } from './playlist-loader.ts';
import { PlaylistWriter } from './playlist-writer.ts';
import { SegmentHealth } from './segment-health.ts';
import { SegmentRenewal } from './segment-renewal.ts';
import { SourcePlaylists } from './source-playlists.ts';
import { SwitchGap } from './switch-gap.ts';
import { TrackLists } from './track-lists.ts';

export type HlsStreamOptions = {
  readonly stream: Stream;
  readonly client: PlaylistClient;
  readonly handles: HandleCodec;
  /** Where a stream does not say. */
  readonly lowLatency: LowLatencyMode;
  /** Streams that do not say keep to where a redirect led; not, when absent. */
  readonly isSticky?: boolean;
  /** For whichever process serves the stream next; nothing is kept when absent. */
  readonly numbers?: NumberStore | undefined;
  /** Cuts sources that are no playlists; nobody does when absent. */
  readonly packaged?: Cutter | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** Viewers of whom it is remembered what the stream's own address gave them. */
const REMEMBERED_VIEWERS = 4096;
const IDLE_TARGET_DURATIONS = 3;
/** Segments: sizes differ from one to the next. */
const MEASURED_OVER = 4;
/** A playlist cannot keep an absent viewer for longer than this. */
const MAX_IDLE_MS = 120_000;

/** What HLS delivery knows of one stream: its one walk through the sources, and what was seen. */
export class HlsStream {
  readonly stream: Stream;
  /** As it was taken for when this was made: reasons of failover are told by it. */
  readonly kind: MediaKind;
  /** The order of its segments. */
  readonly lists = new TrackLists();
  /** What stays listed of a source that it has left. */
  readonly overlaps: Overlaps;
  /** To segments that are cut here. */
  readonly #handover: Handover;
  readonly #options: HlsStreamOptions;
  readonly #answers: PlaylistAnswers;
  readonly #finder: PlaylistFinder;
  readonly #sources: SourcePlaylists;
  readonly #mirror: FilmMirror;
  readonly #renewal: SegmentRenewal;
  readonly #walk: SourceWalk;
  readonly #numbers: KeptNumbers | undefined;
  readonly #listed = new ListedSegments();
  readonly #health = new SegmentHealth();
  readonly #gap: SwitchGap;
  #bitsPerSecond = 0;
  readonly #shapes = new Lru<string, LoadedPlaylist['shape']>(REMEMBERED_VIEWERS);

  constructor(options: HlsStreamOptions) {
    const { stream, clock, logger, client, handles, packaged } = options;
    this.stream = stream;
    this.kind = stream.kind;
    this.#options = options;
    this.#walk = stream.walk();
    this.#gap = new SwitchGap({ ...options, walk: this.#walk });
    this.overlaps = new Overlaps(clock);
    this.#numbers = keptNumbers(options, this.#walk);
    const sources = new SourcePlaylists({
      client,
      isSticky: () => stream.options.useStickySession ?? options.isSticky ?? false,
      targetDurationMs: () => this.targetDurationMs,
    });
    const finder = new PlaylistFinder(sources.fetch, {
      unpin: (source) => sources.unpin(source),
      bitsPerSecond: () => this.#bitsPerSecond,
    });
    this.#finder = finder;
    this.#sources = sources;
    this.#renewal = new SegmentRenewal({ finder, listed: this.#listed, clock });
    this.#mirror = new FilmMirror(finder);
    this.#handover = new Handover({ ...options, walk: this.#walk, packaged, gap: this.#gap });
    const loader = new PlaylistLoader({
      stream,
      walk: this.#walk,
      finder,
      tracks: new LiveTracks(clock, this.#numbers),
      gap: this.#gap,
      handover: this.#handover,
      numbers: this.#numbers,
      lists: this.lists,
      overlaps: this.overlaps,
      writer: new PlaylistWriter({ streamId: stream.id, handles, listed: this.#listed }),
      health: this.#health,
      logger,
    });
    this.#answers = new PlaylistAnswers({ ...options, walk: this.#walk, loader });
  }

  /** This process serves it again; another may have done so meanwhile. */
  takeUp(): void {
    this.#numbers?.reload();
  }

  /** It is known no more. */
  close(): void {
    this.#gap.close();
    this.#numbers?.close(this.stream.removed.aborted);
  }

  get source(): Source {
    return this.#walk.current;
  }

  /** A source with what may be sent of it to this address. */
  sourceAt(source: Source, url: string): Source {
    return this.#sources.at(source, url);
  }

  get targetDurationMs(): number {
    return this.#answers.targetDurationMs;
  }

  /** When a polling viewer counts as gone: never sooner than it has reason to ask. */
  idleMs(viewerIdleMs: number): number {
    const patienceMs = Math.min(MAX_IDLE_MS, IDLE_TARGET_DURATIONS * this.targetDurationMs);
    return Math.max(viewerIdleMs, patienceMs);
  }

  get playlistCounts(): PlaylistCounts {
    return this.#answers.counts;
  }

  get health(): 'good' | 'stale' | 'doubtful' {
    if (this.#answers.isStale) return 'stale';
    return this.#health.isInDoubt ? 'doubtful' : 'good';
  }

  /** A viewer has asked for a playlist. @param ended - Aborts when it is gone. */
  keptBy(viewer: string, ended: AbortSignal): void {
    this.#handover.keptBy(viewer, ended);
  }

  /** What may be given at once, without asking the source. */
  fresh(question: PlaylistQuestion): LoadedPlaylist | undefined {
    return this.#answers.fresh(question);
  }

  /** As {@link PlaylistAnswers.load}. */
  async load(question: PlaylistQuestion, signal: AbortSignal): Promise<PostedPlaylist> {
    const posted = await this.#answers.load(question, signal);
    if (this.stream.kind !== 'hls') this.stream.learnKind('hls');
    return posted;
  }

  /** A player that polls the stream's own address must go on getting what it got there first. */
  shapeFor(viewer: string): 'any' | 'media' {
    return this.#shapes.get(viewer) === 'media' ? 'media' : 'any';
  }

  rememberShape(viewer: string, shape: LoadedPlaylist['shape']): void {
    this.#shapes.set(viewer, shape);
  }

  /** Where to ask now for what a playlist named when another source may have been in use. */
  whereNow(target: Target, signal: AbortSignal): Promise<Target> {
    return this.#mirror.at(this.source, this.#renewal.at(target), signal);
  }

  /** Its URL may have grown old: then it is worth waiting for what `segmentFailed` finds. */
  mayBeRenewed({ kind, source, url }: Target, error: AppError): boolean {
    const isLive = kind === 'segment' && source === sourceTagOf(this.source);
    return isLive && isLost(error) && this.#listed.placeOf(url) !== undefined;
  }

  /** How many bits a second the media playlist at the stream's own address takes. */
  measured(bitsPerSecond: number): void {
    const before = this.#bitsPerSecond || bitsPerSecond;
    this.#bitsPerSecond = before + (bitsPerSecond - before) / MEASURED_OVER;
  }

  segmentSucceeded(target: Target): void {
    if (target.kind !== 'segment' || !this.#isInUse(target)) return;
    this.#health.succeeded();
    this.#gap.flowing();
  }

  /**
   * A segment that is refused is looked for by its number at the source's own address. Enough
   * different ones in a row that cannot be had move the stream on.
   * @returns what resolves when it has been moved, or could not be; never rejects.
   */
  async segmentFailed(target: Target, error: AppError): Promise<void> {
    const { source } = this;
    if (!this.#isInUse(target) || !this.#saysSomething(target, error)) return;
    if (this.mayBeRenewed(target, error) && (await this.#renewal.renew(source, target))) return;
    if (!this.#health.failed(target.url)) return;
    const leaving = this.#leave(source, error);
    // A film goes on at its mirror within the same request; a live one with the next playlist.
    if (target.place) await leaving;
  }

  /** What players still have of a playlist says nothing once all are given what is cut here. */
  #isInUse(target: Target): boolean {
    return !this.#handover.takesAll && target.source === sourceTagOf(this.source);
  }

  #saysSomething({ kind, url }: Target, error: AppError): boolean {
    if (kind === 'data' || kind === 'asset-list' || kind === 'steering') return false;
    const status = error.code === 'UPSTREAM_STATUS' ? statusOf(error) : null;
    if (status === 416) return false;
    const standing = this.#listed.standingOf(url);
    if (standing !== 'unlisted') return standing === 'due';
    return status !== 404 && status !== 410;
  }

  async #leave(source: Source, cause: AppError): Promise<void> {
    const failure = segmentFailure(cause);
    this.#gap.missed(sourceTagOf(source));
    const { removed } = this.stream;
    this.#finder.letGo(source);
    try {
      const next = await this.#walk.failed(source, failure, removed);
      // What broke off is granted a retry; but these segments are retries already.
      const isRetry = next.url === source.url && failureClassOf(failure) === 'broken';
      if (isRetry) await this.#walk.failed(next, failure, removed);
    } catch (error) {
      // The walk has told; the next playlist finds out for itself what is left.
      this.#options.logger.info('no source to leave to', {
        streamId: this.stream.id,
        code: error instanceof AppError ? error.code : 'STREAM_GONE',
      });
    }
  }
}

/** Older, it does not say where the stream is now: numbers go on, sources begin anew. */
const SOURCE_KNOWN_MS = 90_000;

function keptNumbers(options: HlsStreamOptions, walk: SourceWalk): KeptNumbers | undefined {
  const { stream, numbers: store, clock, timers } = options;
  const resumed = (source: string, ageMs: number): void => {
    if (ageMs < SOURCE_KNOWN_MS) walk.takeUp((url) => source.startsWith(tagOfUrl(url)));
  };
  return store && new KeptNumbers({ streamId: stream.id, store, clock, timers, resumed });
}

/** The code decides what is done; the stage, under which reason it is told. */
function segmentFailure(cause: AppError): AppError {
  const options = {
    message: 'Segments of the source fail.',
    details: { ...cause.details, stage: 'segment' },
    cause,
  };
  return cause instanceof MediaError
    ? new MediaError(cause.code, options)
    : new UpstreamError(cause.code, options);
}
