import { MediaError, UpstreamError } from '#kernel/app-error';
import { closestTrack, hasSoundApart, tracksOf } from '#hls';
import type { Target, Track, TrackUrl, Variables } from '#hls';
import type { Source } from '#streams';
import { statusOf } from '#upstream';
import { carriesTransportStream } from './fetch-playlist.ts';
import type { FetchedPlaylist, PlaylistFetcher } from './fetch-playlist.ts';
import { Lru, SharedLoads, sourceTagOf, withQuery } from '#delivery/viewing';

/** What a viewer asks for. */
export type PlaylistAsk =
  /** The stream's own address. `media`: the viewer has been given a media playlist there. */
  | { readonly kind: 'entry'; readonly wants: 'any' | 'media' }
  | { readonly kind: 'child'; readonly target: Target };

/** A playlist of one source that answers an ask. */
export type FoundPlaylist = {
  readonly playlist: FetchedPlaylist;
  readonly imported: Variables;
  /** It has pictures alone, for somebody whose playlist had sound with them. */
  readonly isSilent?: boolean;
};

export type PlaylistFinderOptions = {
  /** Lets go of the servers that redirects of a source have led to. */
  readonly unpin?: (source: Source) => void;
  /** Of a media playlist at the stream's own address, as measured; 0 as long as it is not known. */
  readonly bitsPerSecond?: () => number;
};

/** Sources whose tracks are remembered. */
const REMEMBERED_SOURCES = 8;

/** Tracks that another source's only playlist can stand in for: it has pictures and sound. */
const INSIDE_ONE = new Set(['variant', 'audio', 'video']);

/** The provider may have renewed the token in the URL: its entry URL leads to the new one. */
const LOST = new Set([401, 403, 404, 410]);

const NO_VARIABLES: Variables = new Map();

/**
 * Finds the playlist of any source that answers what a viewer asks, whichever source the viewer's
 * URL came from: the same track, or the one that is most like it.
 */
export class PlaylistFinder {
  readonly #fetch: PlaylistFetcher;
  readonly #options: PlaylistFinderOptions;
  readonly #tracks = new Lru<string, readonly TrackUrl[]>(REMEMBERED_SOURCES);
  /** The variant that each source's media viewers are given. */
  readonly #first = new Lru<string, Track>(REMEMBERED_SOURCES);

  readonly #loads = new SharedLoads<FetchedPlaylist>();

  constructor(fetch: PlaylistFetcher, options: PlaylistFinderOptions = {}) {
    this.#fetch = fetch;
    this.#options = options;
  }

  /** The tracks that a source's multivariant playlist named when it was last seen. */
  tracksOf(source: Source): readonly TrackUrl[] {
    return this.#tracks.get(sourceTagOf(source)) ?? [];
  }

  /**
   * @param directives - Query of a low-latency reload (`_HLS_msn=…`), or empty.
   * @throws UpstreamError, MediaError; one of which `isLiveSource` is true where the source is no
   *   playlist at all.
   */
  async find(
    source: Source,
    { ask, directives }: { readonly ask: PlaylistAsk; readonly directives: string },
    signal: AbortSignal,
  ): Promise<FoundPlaylist> {
    if (ask.kind === 'entry') return this.#entry(source, { ask, directives }, signal);
    const { target } = ask;
    const { track } = target;
    if (track && target.source !== sourceTagOf(source)) return this.#like(track, source, signal);
    try {
      const playlist = await this.#reload(source, { url: target.url, directives }, signal);
      return { playlist, imported: target.variables ?? this.#variablesOf(source, target.url) };
    } catch (error) {
      if (!track || !isLost(error)) throw error;
      return this.#renewed(track, source, { url: target.url, signal, error });
    }
  }

  /** The source has failed: where its redirects led may be why. */
  letGo(source: Source): void {
    this.#options.unpin?.(source);
  }

  /**
   * As `find`, by way of the source's own address: what playlists and redirects said before does
   * not count any more.
   */
  async afresh(source: Source, ask: PlaylistAsk, signal: AbortSignal): Promise<FoundPlaylist> {
    this.letGo(source);
    if (ask.kind === 'entry') return this.#entry(source, { ask, directives: '' }, signal);
    const { track } = ask.target;
    if (track) return this.#afresh(track, source, signal);
    return this.find(source, { ask, directives: '' }, signal);
  }

  /** Too many to travel in the link: what the multivariant playlist defined when last seen. */
  #variablesOf(source: Source, url: string): Variables {
    const named = this.tracksOf(source).find((known) => known.url === url);
    return named?.variables ?? NO_VARIABLES;
  }

  async #entry(
    source: Source,
    { ask, directives }: { ask: { wants: 'any' | 'media' }; directives: string },
    signal: AbortSignal,
  ): Promise<FoundPlaylist> {
    const playlist = await this.#own(source, signal, directives);
    if (playlist.facts.shape === 'media') return { playlist, imported: NO_VARIABLES };
    this.#remember(source, playlist);
    if (ask.wants === 'any') return { playlist, imported: NO_VARIABLES };
    const first = this.#firstOf(source);
    const found = await this.#track(first, source, signal);
    return { ...found, isSilent: hasSoundApart(first) };
  }

  /**
   * For a viewer that began with a media playlist: the variant with as many bits per second, if
   * that is known, else the first one, which is to be begun with. It stays with what it was given.
   */
  #firstOf(source: Source): Track {
    const tag = sourceTagOf(source);
    const known = this.#first.get(tag);
    if (known) return known;
    const bandwidth = Math.round(this.#options.bitsPerSecond?.() ?? 0);
    const wanted: Track = { role: 'variant', ordinal: 0, bandwidth };
    const first = closestTrack(wanted, this.tracksOf(source))?.track ?? wanted;
    this.#first.set(tag, first);
    return first;
  }

  /** The wanted track of a source whose URLs the viewer does not have. */
  async #like(wanted: Track, source: Source, signal: AbortSignal): Promise<FoundPlaylist> {
    if (this.tracksOf(source).length > 0) {
      try {
        return await this.#track(wanted, source, signal);
      } catch (error) {
        if (!isLost(error)) throw error;
      }
    }
    return this.#afresh(wanted, source, signal);
  }

  /** Looks the track up in what the entry URL says now. */
  async #afresh(wanted: Track, source: Source, signal: AbortSignal): Promise<FoundPlaylist> {
    const entry = await this.#own(source, signal);
    if (entry.facts.shape === 'media') {
      if (!INSIDE_ONE.has(wanted.role)) throw noSuchTrack(wanted);
      return { playlist: entry, imported: NO_VARIABLES };
    }
    this.#remember(source, entry);
    return this.#track(wanted, source, signal);
  }

  /** Once more by the entry URL; if that names the very URL that was refused, it stays refused. */
  async #renewed(
    track: Track,
    source: Source,
    { url, signal, error }: { url: string; signal: AbortSignal; error: unknown },
  ): Promise<FoundPlaylist> {
    const entry = await this.#own(source, signal);
    if (entry.facts.shape === 'media') throw error;
    this.#remember(source, entry);
    if (this.tracksOf(source).some((known) => known.url === url)) throw error;
    return this.#track(track, source, signal);
  }

  async #track(wanted: Track, source: Source, signal: AbortSignal): Promise<FoundPlaylist> {
    const found = closestTrack(wanted, this.tracksOf(source));
    if (!found) throw noSuchTrack(wanted);
    const playlist = await this.#fetch(source, found.url, signal);
    const isSilent = hasSoundInside(wanted) && !hasSoundInside(found.track);
    return { playlist, imported: found.variables, isSilent };
  }

  /** What is at the source's own address, which says what the source is. */
  async #own(source: Source, signal: AbortSignal, directives = ''): Promise<FetchedPlaylist> {
    const load = (shared: AbortSignal): Promise<FetchedPlaylist> =>
      this.#reload(source, { url: source.url, directives }, shared);
    try {
      // Each who asks for another track may need it at the same time: one connection is enough.
      return await this.#loads.run(`${sourceTagOf(source)} ${directives}`, load, signal);
    } catch (error) {
      throw carriesTransportStream(error) ? noPlaylist(error) : error;
    }
  }

  /** A server that does not know the directives may refuse them; without them it must answer. */
  async #reload(
    source: Source,
    { url, directives }: { url: string; directives: string },
    signal: AbortSignal,
  ): Promise<FetchedPlaylist> {
    if (directives === '') return this.#fetch(source, url, signal);
    try {
      return await this.#fetch(source, withQuery(url, directives), signal);
    } catch (error) {
      if (!isStatus(error)) throw error;
      return this.#fetch(source, url, signal);
    }
  }

  #remember(source: Source, { text, encoding, finalUrl }: FetchedPlaylist): void {
    const tracks = tracksOf(text, { baseUrl: finalUrl, encoding });
    this.#tracks.set(sourceTagOf(source), tracks);
  }
}

const hasSoundInside = (track: Track): boolean => track.role === 'variant' && !hasSoundApart(track);

const isStatus = (error: unknown): error is UpstreamError =>
  error instanceof UpstreamError && error.code === 'UPSTREAM_STATUS';

/** Refused as something is whose token has grown old, or that has moved. */
export const isLost = (error: unknown): boolean =>
  isStatus(error) && LOST.has(statusOf(error) ?? 0);

const LIVE = 'live';

const noPlaylist = (cause: MediaError): MediaError =>
  new MediaError(cause.code, { message: cause.message, details: { carries: LIVE }, cause });

/** The source itself seems to be a live transport stream. */
export const isLiveSource = (error: unknown): boolean =>
  error instanceof MediaError && error.details['carries'] === LIVE;

export const noSuchTrack = ({ role }: Track): UpstreamError =>
  new UpstreamError('UPSTREAM_CHANGED', {
    message: 'The present source has no such track.',
    details: { role },
  });
