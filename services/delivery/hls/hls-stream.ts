import { AppError, MediaError, UpstreamError } from '#kernel/app-error';
import type { HandleCodec, Target } from '#hls';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { MediaKind, Source, SourceWalk, Stream } from '#streams';
import { failureClassOf, statusOf } from '#upstream';
import type { PlaylistFetcher } from './fetch-playlist.ts';
import { FilmMirror } from './film-mirror.ts';
import { ListedSegments } from './listed-segments.ts';
import { LiveTracks } from './live-tracks.ts';
import { Lru } from './lru.ts';
import { PlaylistFinder } from './playlist-finder.ts';
import { PlaylistLoader } from './playlist-loader.ts';
import type { LoadedPlaylist, PlaylistRequest } from './playlist-loader.ts';
import { PlaylistWriter } from './playlist-writer.ts';
import { SegmentHealth } from './segment-health.ts';
import { SharedLoads } from './shared-loads.ts';
import { sourceTagOf } from './source-tag.ts';
import { TrackLists } from './track-lists.ts';

export type HlsStreamOptions = {
  readonly stream: Stream;
  readonly fetch: PlaylistFetcher;
  readonly handles: HandleCodec;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** Viewers who ask within this time share an answer: a fraction of the shortest target duration. */
const KEEP_MS = 500;
/** Viewers of whom it is remembered what the stream's own address gave them. */
const REMEMBERED_VIEWERS = 4096;
const IDLE_TARGET_DURATIONS = 3;
/** A playlist cannot keep an absent viewer for longer than this. */
const MAX_IDLE_MS = 120_000;

/** What HLS delivery knows of one stream: its one walk through the sources, and what was seen. */
export class HlsStream {
  readonly stream: Stream;
  /** As it was taken for when this was made: reasons of failover are told by it. */
  readonly kind: MediaKind;
  /** The order of its segments. */
  readonly lists = new TrackLists();
  readonly #options: HlsStreamOptions;
  readonly #loads: SharedLoads<LoadedPlaylist>;
  readonly #loader: PlaylistLoader;
  readonly #mirror: FilmMirror;
  readonly #walk: SourceWalk;
  readonly #listed = new ListedSegments();
  readonly #health = new SegmentHealth();
  readonly #shapes = new Lru<string, LoadedPlaylist['shape']>(REMEMBERED_VIEWERS);
  #targetDurationMs = 0;

  constructor(options: HlsStreamOptions) {
    const { stream, clock, timers, logger, fetch, handles } = options;
    this.stream = stream;
    this.kind = stream.kind;
    this.#options = options;
    this.#walk = stream.walk();
    this.#loads = new SharedLoads(timers);
    const finder = new PlaylistFinder(fetch);
    this.#mirror = new FilmMirror(finder);
    this.#loader = new PlaylistLoader({
      stream,
      walk: this.#walk,
      finder,
      tracks: new LiveTracks(clock),
      lists: this.lists,
      writer: new PlaylistWriter({ streamId: stream.id, handles, listed: this.#listed }),
      health: this.#health,
      logger,
    });
  }

  get source(): Source {
    return this.#walk.current;
  }

  get targetDurationMs(): number {
    return this.#targetDurationMs;
  }

  /** When a polling viewer counts as gone: never sooner than it has reason to ask. */
  idleMs(viewerIdleMs: number): number {
    const patienceMs = Math.min(MAX_IDLE_MS, IDLE_TARGET_DURATIONS * this.#targetDurationMs);
    return Math.max(viewerIdleMs, patienceMs);
  }

  /**
   * Loads a playlist, once for all who ask at the same time.
   * @throws AppError when no source gives one; the signal's reason.
   */
  async load(request: PlaylistRequest, signal: AbortSignal): Promise<LoadedPlaylist> {
    const keepMs = request.directives === '' ? KEEP_MS : 0;
    const load = (shared: AbortSignal): Promise<LoadedPlaylist> =>
      this.#loader.load(request, AbortSignal.any([shared, this.stream.removed]));
    // What was loaded from a source that has been left is not given to anybody any more.
    const key = `${sourceTagOf(this.source)} ${keyOf(request)}`;
    const loaded = await this.#loads.run(key, { load, keepMs }, signal);
    this.#targetDurationMs = loaded.targetDurationMs ?? this.#targetDurationMs;
    if (this.stream.kind !== 'hls') this.stream.learnKind('hls');
    return loaded;
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
    return this.#mirror.at(this.source, target, signal);
  }

  segmentSucceeded(target: Target): void {
    if (target.kind !== 'segment' || target.source !== sourceTagOf(this.source)) return;
    this.#health.succeeded();
    this.#walk.flowing();
  }

  /**
   * Enough different segments in a row move the stream on.
   * @returns what resolves when it has been moved, or could not be; never rejects.
   */
  async segmentFailed(target: Target, error: AppError): Promise<void> {
    const { source } = this;
    if (target.source !== sourceTagOf(source) || !this.#saysSomething(target, error)) return;
    if (this.#health.failed(target.url)) await this.#leave(source, error);
  }

  #saysSomething({ kind, url }: Target, error: AppError): boolean {
    if (kind === 'data' || kind === 'asset-list' || kind === 'steering') return false;
    const status = error.code === 'UPSTREAM_STATUS' ? statusOf(error) : null;
    if (status === 416) return false;
    return (status !== 404 && status !== 410) || this.#listed.has(url);
  }

  async #leave(source: Source, cause: AppError): Promise<void> {
    const failure = segmentFailure(cause);
    const { removed } = this.stream;
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

function keyOf({ ask, directives }: PlaylistRequest): string {
  if (ask.kind === 'entry') return `entry ${ask.wants} ${directives}`;
  const { source, url } = ask.target;
  return `child ${source} ${directives} ${url}`;
}
