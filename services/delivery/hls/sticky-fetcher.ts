import type { Source } from '#streams';
import type { PlaylistFetcher } from './fetch-playlist.ts';
import { Lru } from './lru.ts';

/** Sources of one stream whose places are remembered. */
const REMEMBERED_SOURCES = 16;

/**
 * Keeps to the server that a source's address led to: load balancers send each request elsewhere,
 * and their servers do not agree on numbers. When that server fails, the address is asked again
 * at once, before anybody hears of a failure.
 */
export function stickyFetcher(fetch: PlaylistFetcher, isSticky: () => boolean): PlaylistFetcher {
  const places = new Lru<string, string>(REMEMBERED_SOURCES);

  const fromPlace = async (source: Source, place: string, signal: AbortSignal) => {
    try {
      return await fetch(source, place, signal);
    } catch {
      signal.throwIfAborted();
      places.delete(source.url);
      return undefined; // What fails is told by the address itself, should that fail too.
    }
  };

  return async (source, url, signal) => {
    if (!isSticky() || url !== source.url) return fetch(source, url, signal);
    const place = places.get(url);
    const kept = place === undefined ? undefined : await fromPlace(source, place, signal);
    if (kept !== undefined) return kept;
    const fetched = await fetch(source, url, signal);
    if (fetched.finalUrl !== url) places.set(url, fetched.finalUrl);
    return fetched;
  };
}
