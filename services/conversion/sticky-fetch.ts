import { AppError } from '#kernel/app-error';
import { headersBeyond } from '#upstream';
import type { FetchPlaylist } from './ports.ts';

/** Playlists of one reading: those of a source, its variant and its sound. */
const MAX_PINS = 16;

/**
 * A fetcher for one reading of a source, which keeps to the servers that redirects of its playlists
 * chose, until they fail there. Whoever begins to read anew makes a new one: then the source's own
 * address chooses again.
 */
export function stickyFetch(fetch: FetchPlaylist): FetchPlaylist {
  const pins = new Map<string, string>();

  const pinned: FetchPlaylist = async ({ url, headers }, signal) => {
    const pin = pins.get(url) ?? url;
    return fetch({ url: pin, headers: headersBeyond(headers, { from: url, to: pin }) }, signal);
  };

  return async (exchange, signal) => {
    const { url } = exchange;
    if (pins.has(url)) {
      try {
        return await pinned(exchange, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AppError)) throw error;
        pins.delete(url);
      }
    }
    const fetched = await fetch(exchange, signal);
    if (fetched.finalUrl !== url && pins.size < MAX_PINS) pins.set(url, fetched.finalUrl);
    return fetched;
  };
}
