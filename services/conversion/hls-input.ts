import { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { MediaSegment } from '#hls';
import { limitOf } from '#upstream';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from '#upstream';
import { listsOf } from './entry-lists.ts';
import type { FoundList } from './entry-lists.ts';
import { HandedOnText } from './handed-on.ts';
import { HlsBody } from './hls-body.ts';
import { HlsTrack } from './hls-track.ts';
import { PlaybackMemory } from './playback-memory.ts';
import { PlaylistFollower } from './playlist-follower.ts';
import type { FetchPlaylist, Remuxer } from './ports.ts';
import { Redirects } from './redirects.ts';
import { SegmentReader } from './segment-reader.ts';
import { SniffedResponse } from './sniffed-response.ts';
import { stickyFetch } from './sticky-fetch.ts';

/** Which playlists become a transport stream: all, or only those that are not finished. */
export type ConvertedLists = 'all' | 'live';

export type HlsInputOptions = {
  readonly upstream: UpstreamClient;
  readonly fetch: FetchPlaylist;
  readonly remuxer: Remuxer;
  readonly converts: ConvertedLists;
  /** Whether playlists are asked for where redirects have led; not, when absent. */
  readonly isSticky?: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The source of this URL has proved to be a playlist. */
  readonly found: (url: string) => void;
};

const PLAYLIST_PATH = /\.m3u8?(?:[?#]|$)/i;
/** Within one target duration the player still has something to show. */
const LEAST_STALL_MS = 2_000;
/** Addresses that are remembered as playlists. */
const MOST_KNOWN = 256;

/**
 * Opens sources like the client that it stands before; those that are HLS playlists it reads like a
 * player, and what it gives is the transport stream that they carry. One for each reader: it knows
 * how far the reader has come, so that it goes on there from any source.
 *
 * Playlists that cannot or should not be converted are handed on as the text that they are.
 */
export class HlsInput implements UpstreamClient {
  readonly #options: HlsInputOptions;
  readonly #known = new Set<string>();
  readonly #memory: PlaybackMemory;

  constructor(options: HlsInputOptions) {
    this.#options = options;
    this.#memory = new PlaybackMemory(options.clock);
  }

  /**
   * As the client's; for playlists also
   * @throws MediaError `PLAYLIST_MALFORMED` `PLAYLIST_TOO_LARGE`
   */
  async open(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const { url } = request;
    if (this.#known.has(url) || PLAYLIST_PATH.test(url)) {
      try {
        return await this.#openList(request, signal);
      } catch (error) {
        // Media under the name of a playlist.
        if (!(error instanceof AppError) || error.code !== 'UPSTREAM_WRONG_TYPE') throw error;
      }
    }
    const response = await this.#options.upstream.open(request, signal);
    if (response.status < 200 || response.status > 299) return response;
    return new SniffedResponse(response, (closing) => {
      if (this.#known.size < MOST_KNOWN) this.#known.add(url);
      return this.#openList(request, closing);
    });
  }

  async #openList(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const { found, converts, remuxer, isSticky = false } = this.#options;
    const redirects = new Redirects();
    const noting = redirects.noting(this.#options.fetch);
    const fetch = isSticky ? stickyFetch(noting) : noting;
    const entry = await fetch(request, signal);
    found(request.url);
    const { main, sound } = await listsOf({ fetch, request }, entry, signal);
    const isKept = main.first.isSealed || (main.first.isEnded && converts === 'live');
    if (isKept) return new HandedOnText(entry.text, entry.finalUrl);
    const headersFor = (to: string): UpstreamRequest['headers'] =>
      redirects.headersFor(request.headers, { from: request.url, to });
    const asked = { ...request, headersFor };
    const isWhole = sound !== undefined && limitOf(request.headers) !== undefined;
    const tracks = [this.#track(asked, main, { role: 'main', isWhole })];
    if (sound) tracks.push(this.#track(asked, sound, { role: 'sound', isWhole }));
    return new HlsBody({ tracks, remuxer, finalUrl: entry.finalUrl });
  }

  #track(
    { url, headersFor, timeouts }: Asked,
    { first, reload }: FoundList,
    { role, isWhole }: { readonly role: 'main' | 'sound'; readonly isWhole: boolean },
  ): HlsTrack {
    const { upstream, clock, timers } = this.#options;
    const list = `${role} ${url}`;
    const startAt = this.#memory.startIn(list, first);
    const follower = new PlaylistFollower({ first, load: reload, startAt, clock, timers });
    const stallMs = (): number =>
      Math.min(timeouts.headersMs, Math.max(LEAST_STALL_MS, follower.targetDurationMs));
    const reader = new SegmentReader({ upstream, headersFor, timeouts, stallMs, timers, isWhole });
    const played = (segment: MediaSegment): void => {
      this.#memory.played(list, segment);
      if (first.isEnded && role === 'main') this.#memory.filmPlayed(segment.durationMs);
    };
    return new HlsTrack({ follower, reader, clock, timers, played });
  }
}

/** A source, with what may be sent of it to each address that its playlists name. */
type Asked = UpstreamRequest & { readonly headersFor: (url: string) => UpstreamRequest['headers'] };
