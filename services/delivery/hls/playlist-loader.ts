import { AppError, UpstreamError } from '#kernel/app-error';
import type { TextEncoding, Track } from '#hls';
import type { Logger } from '#kernel/logger';
import type { Source, SourceWalk, Stream } from '#streams';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import type { LiveTracks } from './live-tracks.ts';
import type { PlaylistAsk, PlaylistFinder } from './playlist-finder.ts';
import type { PlaylistWriter, WriteContext } from './playlist-writer.ts';
import type { SegmentHealth } from './segment-health.ts';
import { sourceTagOf } from './source-tag.ts';
import type { TrackLists } from './track-lists.ts';

export type PlaylistRequest = {
  readonly ask: PlaylistAsk;
  /** Query of a low-latency reload (`_HLS_msn=…`), or empty. */
  readonly directives: string;
};

/** A playlist for all viewers who asked for it. */
export type LoadedPlaylist = {
  /** To be joined by each viewer's suffix. */
  readonly pieces: readonly string[];
  readonly encoding: TextEncoding;
  readonly shape: 'media' | 'multivariant';
  readonly targetDurationMs: number | undefined;
};

export type PlaylistLoaderOptions = {
  readonly stream: Stream;
  readonly walk: SourceWalk;
  readonly finder: PlaylistFinder;
  readonly tracks: LiveTracks;
  readonly lists: TrackLists;
  readonly writer: PlaylistWriter;
  readonly health: SegmentHealth;
  readonly logger: Logger;
};

/** Loads playlists of one stream from whichever of its sources gives one. */
export class PlaylistLoader {
  readonly #options: PlaylistLoaderOptions;

  constructor(options: PlaylistLoaderOptions) {
    this.#options = options;
  }

  /**
   * Tries source after source, as the stream's policy says, until one answers.
   * @throws AppError when none does; the signal's reason when it aborts.
   */
  async load(request: PlaylistRequest, signal: AbortSignal): Promise<LoadedPlaylist> {
    let source = this.#options.walk.current;
    for (;;) {
      const outcome = await this.#try(source, request, signal);
      if ('failure' in outcome) {
        if (!this.#concernsSource(request.ask)) throw outcome.failure;
        source = await this.#next(source, outcome.failure, signal);
        continue;
      }
      const elsewhere = outcome.hasStalled ? await this.#leaveStale(source, signal) : undefined;
      if (elsewhere === undefined) return this.#flowing(outcome.loaded);
      source = elsewhere;
    }
  }

  async #try(
    source: Source,
    request: PlaylistRequest,
    signal: AbortSignal,
  ): Promise<{ loaded: LoadedPlaylist; hasStalled: boolean } | { failure: AppError }> {
    try {
      return await this.#from(source, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError && error.code !== 'INTERNAL') return { failure: error };
      throw error;
    }
  }

  async #from(
    source: Source,
    { ask, directives }: PlaylistRequest,
    signal: AbortSignal,
  ): Promise<{ loaded: LoadedPlaylist; hasStalled: boolean }> {
    const { finder, tracks } = this.#options;
    const key = trackKeyOf(ask);
    const tag = sourceTagOf(source);
    const usable = key === undefined || tracks.sharesNumbers(key, tag) ? directives : '';
    const found = await finder.find(source, { ask, directives: usable }, signal);
    const isFollowed = found.playlist.facts.shape === 'media';
    const trackKey = isFollowed ? key : undefined;
    const wasLive = trackKey !== undefined && tracks.isFollowed(trackKey);
    const { playlist, hasStalled } =
      trackKey === undefined
        ? { playlist: found.playlist, hasStalled: false }
        : tracks.admit(trackKey, tag, found.playlist);
    this.#options.lists.shown(trackKey, { playlist, source: tag, imported: found.imported });
    const context = {
      source: isOfStream(ask) ? tag : NO_SOURCE,
      isEntry: ask.kind === 'entry',
      imported: found.imported,
      trackKey,
      track: ask.kind === 'child' ? ask.target.track : undefined,
      isFilm: trackKey !== undefined && playlist.facts.isEnded && !wasLive,
      tracks: finder.tracksOf(source),
    };
    return { loaded: await this.#write(playlist, context), hasStalled };
  }

  async #write(playlist: FetchedPlaylist, context: WriteContext): Promise<LoadedPlaylist> {
    const pieces = await this.#options.writer.write(playlist, context);
    const { shape, targetDurationMs } = playlist.facts;
    return { pieces, encoding: playlist.encoding, shape, targetDurationMs };
  }

  #next(failed: Source, failure: AppError, signal: AbortSignal): Promise<Source> {
    const { stream, walk, logger } = this.#options;
    logger.info('playlist failed', {
      streamId: stream.id,
      index: failed.index,
      code: failure.code,
      ...failure.details,
    });
    return walk.failed(failed, failure, signal);
  }

  /** Another source in place of one that stands still; a still playlist is better than none. */
  async #leaveStale(source: Source, signal: AbortSignal): Promise<Source | undefined> {
    const stalled = new UpstreamError('UPSTREAM_STALLED', {
      message: 'The playlist has stopped growing.',
    });
    try {
      const next = await this.#next(source, stalled, signal);
      return next.url === source.url ? undefined : next;
    } catch {
      // There is no other source: the viewer gets what there is, unless it has left.
      signal.throwIfAborted();
      return undefined;
    }
  }

  #flowing(loaded: LoadedPlaylist): LoadedPlaylist {
    const { walk, health } = this.#options;
    if (!health.isInDoubt) walk.flowing();
    return loaded;
  }

  /**
   * Whether the failure of this playlist says something about the source. A stream of another
   * kind that is asked for a playlist by mistake must not lose its source over it, and neither
   * must a film strip that is missing take the picture away.
   */
  #concernsSource(ask: PlaylistAsk): boolean {
    if (this.#options.stream.kind !== 'hls') return false;
    return ask.kind === 'entry' || isEssential(ask.target.track);
  }
}

const ESSENTIAL_ROLES = new Set(['variant', 'audio', 'video']);

const isEssential = (track: Track | undefined): boolean =>
  track !== undefined && ESSENTIAL_ROLES.has(track.role);

/** No source's tag: what fails below an advertisement says nothing about the source in use. */
const NO_SOURCE = '';

/** Interstitials are playlists that no multivariant playlist of the stream has named. */
const isOfStream = (ask: PlaylistAsk): boolean =>
  ask.kind === 'entry' || ask.target.track !== undefined;

/** Names a track across sources; playlists that are no track of the stream are not followed. */
function trackKeyOf(ask: PlaylistAsk): string | undefined {
  if (ask.kind === 'entry') return 'entry';
  const { track } = ask.target;
  return track && `${track.role} ${track.ordinal}`;
}
