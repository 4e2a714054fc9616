import { filmOf } from '#hls';
import type { Film, Target } from '#hls';
import { orAbort } from '#kernel/or-abort';
import type { Source } from '#streams';
import { Lru, sourceTagOf } from '#delivery/viewing';
import type { PlaylistAsk, PlaylistFinder } from './playlist-finder.ts';

/** Finished playlists that are kept, of all tracks and sources of one stream. */
const MAX_FILMS = 8;
const LOAD_DEADLINE_MS = 10_000;

/**
 * Finds what a film's playlist listed at another source. Players load such a playlist once; when
 * the stream has moved on, the links that they have still name the source that was left.
 */
export class FilmMirror {
  readonly #finder: PlaylistFinder;
  readonly #films = new Lru<string, Promise<Film>>(MAX_FILMS);

  constructor(finder: PlaylistFinder) {
    this.#finder = finder;
  }

  /**
   * The same resource at `source`, if its film is of the same cut; else the target as it is.
   * @throws the signal's reason.
   */
  async at(source: Source, target: Target, signal: AbortSignal): Promise<Target> {
    const { kind, place } = target;
    if (!place || target.source === sourceTagOf(source)) return target;
    const film = await this.#film(source, target, signal);
    const url = film?.cut === place.cut ? film.urls.get(kind)?.[place.index] : undefined;
    return url === undefined ? target : { ...target, url, source: sourceTagOf(source) };
  }

  async #film(source: Source, target: Target, signal: AbortSignal): Promise<Film | undefined> {
    const { track, source: left } = target;
    const key = `${sourceTagOf(source)} ${track?.role} ${track?.ordinal} ${left}`;
    const loading = this.#films.get(key) ?? this.#load(source, target);
    this.#films.set(key, loading);
    try {
      return await orAbort(loading, signal);
    } catch {
      signal.throwIfAborted();
      this.#films.delete(key);
      return undefined; // Then the link is tried as it is: its source may still answer.
    }
  }

  async #load(source: Source, { track, source: left }: Target): Promise<Film> {
    const ask: PlaylistAsk = track
      ? { kind: 'child', target: { kind: 'playlist', url: '', source: left, track } }
      : { kind: 'entry', wants: 'media' };
    const deadline = AbortSignal.timeout(LOAD_DEADLINE_MS);
    const { playlist, imported } = await this.#finder.find(
      source,
      { ask, directives: '' },
      deadline,
    );
    const { text, encoding, finalUrl } = playlist;
    return filmOf(text, { baseUrl: finalUrl, encoding, imported });
  }
}
