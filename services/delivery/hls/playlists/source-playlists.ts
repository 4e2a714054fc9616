import { AppError } from '#kernel/app-error';
import type { Source } from '#streams';
import type { FetchedPlaylist, PlaylistClient, PlaylistFetcher } from './fetch-playlist.ts';
import { Lru, sourceTagOf, withQuery } from '#delivery/viewing';
import { headersBeyond } from '#upstream';

export type SourcePlaylistsOptions = {
  readonly client: PlaylistClient;
  /** Once redirected, a playlist is asked for where that led, until it fails there. */
  readonly isSticky: () => boolean;
  readonly targetDurationMs: () => number;
};

/** Playlists of which the last version is kept, and pins. */
const REMEMBERED = 32;
/** A longer one is a film or a day of television: it is loaded once, or fetched again. */
const MAX_KEPT_CHARS = 256 * 1024;
/** RFC 8216bis §6.2.5.2: a server gives up on a blocking reload after three target durations. */
const HELD_TARGET_DURATIONS = 3;
const BLOCKING = /[?&]_HLS_[^#]*$/;

/**
 * The playlists of one stream's sources, as its viewers have them fetched: asks whether what it has
 * still holds, and keeps to the server that a redirect chose, where the stream wants that.
 */
export class SourcePlaylists {
  readonly #options: SourcePlaylistsOptions;
  readonly #known = new Lru<string, FetchedPlaylist>(REMEMBERED);
  readonly #pins = new Lru<string, string>(REMEMBERED);
  /** Origins that redirects led to, each with the source that they were of. */
  readonly #ledTo = new Lru<string, true>(REMEMBERED);

  constructor(options: SourcePlaylistsOptions) {
    this.#options = options;
  }

  /** As {@link PlaylistFetcher} has it. */
  readonly fetch: PlaylistFetcher = async (source, url, signal) => {
    const key = `${sourceTagOf(source)} ${url.replace(BLOCKING, '')}`;
    const pin = this.#options.isSticky() ? this.#pins.get(key) : undefined;
    if (pin !== undefined) {
      const pinned = await this.#atPin(source, { url, key, pin }, signal);
      if (pinned) return pinned;
    }
    const fetched = await this.#ask({ url, headers: source.headers }, signal);
    if (fetched.finalUrl !== url) this.#ledTo.set(placeOf(source, fetched.finalUrl), true);
    const isRedirected = fetched.finalUrl !== url && !BLOCKING.test(url);
    if (isRedirected && this.#options.isSticky()) this.#pins.set(key, fetched.finalUrl);
    return fetched;
  };

  /**
   * The source as a resource that its playlists named is asked for: where only a redirect has led,
   * secrets are sent for segments as little as they were for the playlist.
   */
  at(source: Source, url: string): Source {
    if (this.#ledTo.get(placeOf(source, url)) === undefined) return source;
    return { ...source, headers: headersBeyond(source.headers, { from: source.url, to: url }) };
  }

  /** The servers that redirects of a source chose are not kept to any more. */
  unpin(source: Source): void {
    const tag = sourceTagOf(source);
    for (const [key] of this.#pins.entries()) if (key.startsWith(tag)) this.#pins.delete(key);
  }

  /** Nothing when the pinned server fails: then the source's own address chooses another. */
  async #atPin(
    source: Source,
    { url, key, pin }: { url: string; key: string; pin: string },
    signal: AbortSignal,
  ): Promise<FetchedPlaylist | undefined> {
    const pinned = withQuery(pin, BLOCKING.exec(url)?.[0].slice(1) ?? '');
    try {
      const headers = headersBeyond(source.headers, { from: source.url, to: pin });
      return await this.#ask({ url: pinned, headers }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      this.#pins.delete(key);
      return undefined;
    }
  }

  async #ask(
    { url, headers }: { url: string; headers: Source['headers'] },
    signal: AbortSignal,
  ): Promise<FetchedPlaylist> {
    const { client, targetDurationMs } = this.#options;
    if (BLOCKING.test(url)) {
      const heldMs = HELD_TARGET_DURATIONS * targetDurationMs();
      return client({ url, headers, heldMs }, signal);
    }
    const fetched = await client({ url, headers, known: this.#known.get(url) }, signal);
    if (isWorthKeeping(fetched)) this.#known.set(url, fetched);
    else this.#known.delete(url);
    return fetched;
  }
}

const isWorthKeeping = ({ text, validators = {} }: FetchedPlaylist): boolean =>
  text.length <= MAX_KEPT_CHARS &&
  (validators.etag !== undefined || validators.lastModified !== undefined);

const placeOf = (source: Source, url: string): string =>
  `${sourceTagOf(source)} ${URL.parse(url)?.origin}`;
