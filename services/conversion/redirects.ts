import { headersBeyond } from '#upstream';
import type { FetchPlaylist } from './ports.ts';

type Headers = Readonly<Record<string, string>>;

/** Origins that are remembered: a source may be led to another at every reload. */
const MAX_ORIGINS = 32;

/**
 * Where redirects of a source's playlists have led. Secrets of the source are not sent there, for
 * segments as little as for the playlist.
 */
export class Redirects {
  readonly #origins = new Set<string>();

  /** The fetcher, looked over the shoulder. */
  noting(fetch: FetchPlaylist): FetchPlaylist {
    return async (exchange, signal) => {
      const fetched = await fetch(exchange, signal);
      if (fetched.finalUrl !== exchange.url) this.#note(new URL(fetched.finalUrl).origin);
      return fetched;
    };
  }

  /** The headers for `from`, as they may be sent to what a playlist named. */
  headersFor(
    headers: Headers,
    { from, to }: { readonly from: string; readonly to: string },
  ): Headers {
    const isBeyond = this.#origins.has(URL.parse(to)?.origin ?? '');
    return isBeyond ? headersBeyond(headers, { from, to }) : headers;
  }

  #note(origin: string): void {
    this.#origins.delete(origin);
    this.#origins.add(origin);
    const [oldest] = this.#origins;
    if (this.#origins.size > MAX_ORIGINS && oldest !== undefined) this.#origins.delete(oldest);
  }
}
