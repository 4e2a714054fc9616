import { Lru } from './lru.ts';

const MAX_TRACKS = 16;
/** Longer playlists are films, whose segments stay listed; they are not remembered one by one. */
const MAX_SEGMENTS = 2_000;

/**
 * Which segments the playlists listed when they were last seen. A player that was paused asks for
 * segments that are gone, and that says nothing about the source.
 */
export class ListedSegments {
  readonly #byTrack = new Lru<string, ReadonlySet<string> | 'many'>(MAX_TRACKS);

  listed(trackKey: string, urls: ReadonlySet<string>): void {
    this.#byTrack.set(trackKey, urls.size > MAX_SEGMENTS ? 'many' : urls);
  }

  has(url: string): boolean {
    return [...this.#byTrack.values()].some((urls) => urls === 'many' || urls.has(url));
  }
}
