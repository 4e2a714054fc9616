import { AppError, UpstreamError } from '#kernel/app-error';
import type { InPieces, LowLatencyFacts, TextEncoding } from '#hls';
import type { Logger } from '#kernel/logger';
import { orAbort } from '#kernel/or-abort';
import type { Source, SourceWalk, Stream } from '#streams';
import { failureClassOf } from '#upstream';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import type { KeptNumbers } from './kept-numbers.ts';
import { LINK_END } from './handover.ts';
import type { Handover } from './handover.ts';
import { HandoverFinder } from './handover-finder.ts';
import type { AdmittedPlaylist, Join, LiveTracks } from './live-tracks.ts';
import { lowLatencyIn, withoutLatency } from './low-latency-text.ts';
import { withOverlap } from './overlaps.ts';
import type { Overlap, Overlaps } from './overlaps.ts';
import type { FoundPlaylist, PlaylistAsk, PlaylistFinder } from './playlist-finder.ts';
import type { PlaylistWriter, WriteContext } from './playlist-writer.ts';
import type { SegmentHealth } from './segment-health.ts';
import { sourceTagOf } from '#delivery/viewing';
import type { SwitchGap } from './switch-gap.ts';
import { isEssential, isOfStream, trackKeyOf } from './track-key.ts';
import type { TrackLists } from './track-lists.ts';

export type PlaylistRequest = {
  readonly ask: PlaylistAsk;
  /** Query of a low-latency reload (`_HLS_msn=…`), or empty. */
  readonly directives: string;
  /** Whether players are shown what only low-latency ones use. */
  readonly honoursLowLatency: boolean;
};

/** A playlist for all viewers who asked for it. */
export type LoadedPlaylist = {
  /** To be joined by each viewer's suffix. */
  readonly pieces: readonly string[];
  readonly encoding: TextEncoding;
  readonly shape: 'media' | 'multivariant';
  readonly targetDurationMs: number | undefined;
  readonly isEnded: boolean;
  /** Tag of the source that it came from. */
  readonly source: string;
  /** Before its URIs were rewritten: by it a playlist is known to have changed. */
  readonly text: string;
  /** Its segments are cut here. */
  readonly isCut?: boolean;
  /** In the numbers that viewers see; absent where low latency is not honoured. */
  readonly lowLatency: LowLatencyFacts | undefined;
};

export type PlaylistLoaderOptions = {
  readonly stream: Stream;
  readonly walk: SourceWalk;
  readonly finder: PlaylistFinder;
  readonly tracks: LiveTracks;
  readonly gap: SwitchGap;
  readonly handover: Handover;
  /** What other processes have shown; absent where there is nowhere to keep it. */
  readonly numbers: KeptNumbers | undefined;
  readonly lists: TrackLists;
  readonly overlaps: Overlaps;
  readonly writer: PlaylistWriter;
  readonly health: SegmentHealth;
  readonly logger: Logger;
};

/** Loads playlists of one stream from whichever of its sources gives one. */
export class PlaylistLoader {
  readonly #options: PlaylistLoaderOptions;
  readonly #finder: HandoverFinder;

  constructor(options: PlaylistLoaderOptions) {
    this.#options = options;
    this.#finder = new HandoverFinder(options);
  }

  /**
   * Tries source after source, as the stream's policy says, until one answers.
   * @throws AppError when none does; the signal's reason when it aborts.
   */
  async load(request: PlaylistRequest, signal: AbortSignal): Promise<LoadedPlaylist> {
    await orAbort(this.#options.numbers?.loaded ?? Promise.resolve(), signal);
    let source = this.#options.walk.current;
    for (;;) {
      const outcome = await this.#try(source, request, signal);
      if ('failure' in outcome) {
        if (!this.#isWorthTrying(request.ask, outcome.failure)) throw outcome.failure;
        source = await this.#next(source, outcome.failure, signal);
        continue;
      }
      const isOver = outcome.hasStalled && this.#concernsSource(request.ask);
      const elsewhere = isOver ? await this.#leaveStale(source, signal) : undefined;
      if (elsewhere === undefined) return this.#flowing(outcome.loaded);
      source = elsewhere;
    }
  }

  async #try(
    source: Source,
    request: PlaylistRequest,
    signal: AbortSignal,
  ): Promise<Outcome | { failure: AppError }> {
    if (isOfStream(request.ask)) this.#options.gap.asked(sourceTagOf(source));
    try {
      const { ask, directives } = request;
      const usable = this.canAskByNumber(ask, source) ? directives : '';
      const found = await this.#finder.find(source, { ask, directives: usable }, signal);
      if (found.playlist.run !== undefined)
        return await this.#cut(source, request.ask, found.playlist);
      return await this.#from(source, request, found);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError && error.code !== 'INTERNAL') return { failure: error };
      throw error;
    }
  }

  /**
   * What is cut is numbered on like any playlist of another source. Its links are written already;
   * it is for the relay to find out whether its sources work.
   */
  async #cut(source: Source, ask: PlaylistAsk, offered: FetchedPlaylist): Promise<Outcome> {
    const trackKey = trackKeyOf(ask);
    const { playlist, join, hasNews } = this.#follow(trackKey, offered.run ?? '', offered);
    this.#note(source, hasNews ? trackKey : undefined);
    const { text, encoding, facts } = playlist;
    const later = { text, pieces: text.split(LINK_END) };
    const overlap = this.#overlap(trackKey, join);
    const pieces = overlap ? await this.#withOverlap(later, overlap, ask) : later.pieces;
    const tag = sourceTagOf(source);
    const made = { isCut: true, source: tag, lowLatency: undefined };
    return { loaded: { pieces, encoding, ...facts, text, ...made }, hasStalled: false };
  }

  async #from(
    source: Source,
    { ask, honoursLowLatency }: PlaylistRequest,
    found: FoundPlaylist,
  ): Promise<Outcome> {
    const { finder } = this.#options;
    const tag = sourceTagOf(source);
    const offered = honoursLowLatency ? found.playlist : withoutLatency(found.playlist);
    const trackKey = offered.facts.shape === 'media' ? trackKeyOf(ask) : undefined;
    const followed = this.#follow(trackKey, tag, offered);
    const { playlist, hasStalled, hasNews, join, ...following } = followed;
    this.#note(source, hasNews ? trackKey : undefined);
    const overlap = this.#overlap(trackKey, join);
    this.#options.lists.shown(trackKey, { playlist, source: tag, imported: found.imported });
    const written = await this.#options.writer.write(playlist, {
      source: isOfStream(ask) ? tag : NO_SOURCE,
      imported: found.imported,
      ask,
      trackKey,
      tracks: finder.tracksOf(source),
      ...following,
    });
    const later = { text: playlist.text, pieces: written };
    const pieces = overlap ? await this.#withOverlap(later, overlap, ask) : written;
    const { text, encoding, facts } = playlist;
    const lowLatency = honoursLowLatency ? lowLatencyIn(playlist) : undefined;
    const made = { source: tag, lowLatency };
    return { loaded: { pieces, encoding, ...facts, text, ...made }, hasStalled };
  }

  /** @param trackKey - Of what viewers are shown more of. */
  #note(source: Source, trackKey: string | undefined): void {
    if (isEssential(trackKey)) this.#options.gap.news(sourceTagOf(source));
  }

  #overlap(trackKey: string | undefined, join: Join | undefined): Overlap | undefined {
    const { lists, overlaps } = this.#options;
    if (trackKey === undefined || join === undefined) return undefined;
    return overlaps.of(trackKey, lists.last(trackKey), join);
  }

  async #withOverlap(
    later: InPieces,
    overlap: Overlap,
    ask: PlaylistAsk,
  ): Promise<readonly string[]> {
    const { playlist, source, imported } = overlap;
    const pieces = await this.#options.writer.write(playlist, {
      source,
      imported,
      ask,
      tracks: [],
      trackKey: undefined,
      ...NOT_FOLLOWED,
    });
    return withOverlap(later, overlap, pieces);
  }

  #follow(trackKey: string | undefined, tag: string, offered: FetchedPlaylist): Following {
    const { tracks } = this.#options;
    if (trackKey === undefined) return { playlist: offered, hasStalled: false, ...NOT_FOLLOWED };
    const wasLive = tracks.isFollowed(trackKey);
    const admitted = tracks.admit(trackKey, tag, offered);
    const isFilm = admitted.playlist.facts.isEnded && !wasLive;
    return { ...admitted, isFilm, endSequence: tracks.endOf(trackKey) };
  }

  /** A source is being tried that will give something new soon, or nothing. */
  get isNear(): boolean {
    const { handover, walk } = this.#options;
    return handover.isTrying(walk.current);
  }

  /** Whether what viewers ask for by number can be asked of a source. */
  canAskByNumber(ask: PlaylistAsk, source: Source): boolean {
    const key = trackKeyOf(ask);
    return key === undefined || this.#options.tracks.sharesNumbers(key, sourceTagOf(source));
  }

  #next(failed: Source, failure: AppError, signal: AbortSignal): Promise<Source> {
    const { stream, walk, finder, logger, gap } = this.#options;
    gap.missed(sourceTagOf(failed));
    finder.letGo(failed);
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
    const { gap, health } = this.#options;
    // What is cut flows from the relay's source, and the relay says so.
    if (loaded.isCut || health.isInDoubt) return loaded;
    // Of a film nobody is shown anything new: when it goes on is the player's to know.
    if (loaded.isEnded) gap.flowing();
    else gap.came(loaded.source);
    return loaded;
  }

  /** Where there is no other source, the player of a variant that is refused takes another. */
  #isWorthTrying(ask: PlaylistAsk, failure: AppError): boolean {
    const mayHelp = ask.kind === 'entry' || this.#options.stream.hasOtherSource;
    return this.#concernsSource(ask) && (mayHelp || failureClassOf(failure) !== 'useless');
  }

  /**
   * Whether the failure of this playlist says something about the source. A stream of another
   * kind that is asked for a playlist by mistake must not lose its source over it, and neither
   * must a film strip that is missing take the picture away.
   */
  #concernsSource(ask: PlaylistAsk): boolean {
    return this.#options.stream.kind === 'hls' && isEssential(trackKeyOf(ask));
  }
}

type Outcome = { readonly loaded: LoadedPlaylist; readonly hasStalled: boolean };

type Following = AdmittedPlaylist & Pick<WriteContext, 'isFilm' | 'endSequence'>;

const NOT_FOLLOWED = { isFilm: false, endSequence: undefined };

/** No source's tag: what fails below an advertisement says nothing about the source in use. */
const NO_SOURCE = '';
