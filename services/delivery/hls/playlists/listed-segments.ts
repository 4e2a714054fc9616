import { Lru } from '#delivery/viewing';
import type { PlaylistAsk } from './playlist-finder.ts';
import { isEssential } from './track-key.ts';

const MAX_TRACKS = 32;
/** Longer playlists are films, whose segments stay listed; they are not remembered one by one. */
const MAX_SEGMENTS = 2_000;

/** What one playlist listed when it was last seen. */
export type Listing = {
  /** Whole segments, in order: those that share a URL, and gaps, have places too. */
  readonly segments: readonly string[];
  /** Parts of segments: they are there as well. */
  readonly parts: ReadonlySet<string>;
  /** Gaps and hints: they are named, and may not be there. */
  readonly absent: ReadonlySet<string>;
  /** What it was an answer to. */
  readonly ask: PlaylistAsk;
  /** Its source's number after the last segment's; `undefined` where it is not followed. */
  readonly endSequence: number | undefined;
};

/** Where a URL is listed: as a segment, or a part of one. */
export type ListedPlace = { readonly trackKey: string; readonly ask: PlaylistAsk };

/** What playlists say of a URL: it has to be there, it need not be, or nothing. */
export type Standing = 'due' | 'not-due' | 'unlisted';

/**
 * Which segments the playlists listed when they were last seen. A player that was paused asks for
 * segments that are gone, and that says nothing about the source.
 */
export class ListedSegments {
  readonly #byTrack = new Lru<string, Listing | 'many'>(MAX_TRACKS);

  listed(trackKey: string, listing: Listing): void {
    const isLong = listing.segments.length > MAX_SEGMENTS;
    this.#byTrack.set(trackKey, isLong ? 'many' : listing);
  }

  /** Something has to be there if a list that pictures or sound need has it as such. */
  standingOf(url: string): Standing {
    const all = new Set<Standing>();
    for (const [key, known] of this.#byTrack.entries()) all.add(standingIn({ key, known }, url));
    return BY_WEIGHT.find((standing) => all.has(standing)) ?? 'unlisted';
  }

  placeOf(url: string): ListedPlace | undefined {
    for (const [trackKey, known] of this.#byTrack.entries()) {
      if (known !== 'many' && isThere(known, url)) return { trackKey, ask: known.ask };
    }
    return undefined;
  }

  /** Parts of segments, which have no number. */
  partsOf(trackKey: string): Iterable<string> {
    const known = this.#byTrack.get(trackKey);
    return known === undefined || known === 'many' ? [] : known.parts;
  }

  /** @param sequence - As its source numbers it. */
  urlAt(trackKey: string, sequence: number): string | undefined {
    const known = this.#byTrack.get(trackKey);
    if (known === undefined || known === 'many' || known.endSequence === undefined)
      return undefined;
    return known.segments.at(indexFromEnd(sequence - known.endSequence));
  }
}

const BY_WEIGHT: readonly Standing[] = ['due', 'not-due'];

const isThere = ({ segments, parts }: Listing, url: string): boolean =>
  parts.has(url) || segments.includes(url);

type NamedListing = { readonly key: string; readonly known: Listing | 'many' };

function standingIn({ key, known }: NamedListing, url: string): Standing {
  if (known === 'many') return isEssential(key) ? 'due' : 'unlisted';
  if (known.absent.has(url)) return 'not-due';
  if (!isThere(known, url)) return 'unlisted';
  return isEssential(key) ? 'due' : 'not-due';
}

/** Negative numbers count from the end; all others are beyond it. */
const indexFromEnd = (distance: number): number =>
  distance < 0 ? distance : Number.POSITIVE_INFINITY;
