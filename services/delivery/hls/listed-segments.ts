import { Lru } from './lru.ts';
import type { PlaylistAsk } from './playlist-finder.ts';

const MAX_TRACKS = 32;
/** Longer playlists are films, whose segments stay listed; they are not remembered one by one. */
const MAX_SEGMENTS = 2_000;

/** What one playlist listed when it was last seen. */
export type Listing = {
  /** In order, each once. */
  readonly urls: ReadonlySet<string>;
  /** What it was an answer to. */
  readonly ask: PlaylistAsk;
  /** Its source's number after the last segment's; `undefined` where it is not followed. */
  readonly endSequence: number | undefined;
};

/** Which segment a URL is. */
export type ListedPlace = { readonly trackKey: string; readonly ask: PlaylistAsk };

/**
 * Which segments the playlists listed when they were last seen. A player that was paused asks for
 * segments that are gone, and that says nothing about the source.
 */
export class ListedSegments {
  readonly #byTrack = new Lru<string, Listing | 'many'>(MAX_TRACKS);

  listed(trackKey: string, listing: Listing): void {
    this.#byTrack.set(trackKey, listing.urls.size > MAX_SEGMENTS ? 'many' : listing);
  }

  has(url: string): boolean {
    return [...this.#byTrack.values()].some((known) => known === 'many' || known.urls.has(url));
  }

  placeOf(url: string): ListedPlace | undefined {
    for (const [trackKey, known] of this.#byTrack.entries()) {
      if (known !== 'many' && known.urls.has(url)) return { trackKey, ask: known.ask };
    }
    return undefined;
  }

  /** @param sequence - As its source numbers it. */
  urlAt(trackKey: string, sequence: number): string | undefined {
    const known = this.#byTrack.get(trackKey);
    if (known === undefined || known === 'many' || known.endSequence === undefined)
      return undefined;
    return [...known.urls].at(indexFromEnd(sequence - known.endSequence));
  }
}

/** Negative numbers count from the end; all others are beyond it. */
const indexFromEnd = (distance: number): number =>
  distance < 0 ? distance : Number.POSITIVE_INFINITY;
