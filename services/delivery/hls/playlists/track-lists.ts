import { segmentListOf } from '#hls';
import type { ListedResource, ListedSegment, SegmentList, Variables } from '#hls';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import { Lru } from '#delivery/viewing';

const MAX_TRACKS = 32;
/** Some ten thousand segments, taken apart in some 20 ms; in longer lists nothing is looked up. */
const MAX_TEXT_CHARS = 1024 * 1024;

/** A media playlist as it was last shown, and where it came from. */
export type ShownList = {
  readonly playlist: FetchedPlaylist;
  /** Tag of its source. */
  readonly source: string;
  readonly imported: Variables;
};

/** One resource of a list, by its place. */
export type ListPlace = {
  readonly track: string;
  readonly source: string;
  readonly segments: readonly ListedSegment[];
  readonly index: number;
  readonly isEnded: boolean;
};

type Track = ShownList & { list?: SegmentList; indexes?: ReadonlyMap<string, number> };

/**
 * The order of the segments of one stream, as its playlists last had it. Texts are taken apart only
 * when somebody asks for a segment.
 */
export class TrackLists {
  readonly #tracks = new Lru<string, Track>(MAX_TRACKS);
  #changed: (source: string) => void = () => {};

  /** Calls with the tag of its source whenever a list has changed; one listener only. */
  onShown(changed: (source: string) => void): void {
    this.#changed = changed;
  }

  /** @param track - Its name; absent for a playlist that is of no track, which is not kept. */
  shown(track: string | undefined, shown: ShownList): void {
    if (track === undefined || shown.playlist.text.length > MAX_TEXT_CHARS) return;
    const known = this.#tracks.get(track);
    if (known?.source === shown.source && known.playlist.text === shown.playlist.text) return;
    this.#tracks.set(track, { ...shown });
    this.#changed(shown.source);
  }

  /** What was shown last of a track. */
  last(track: string): ShownList | undefined {
    return this.#tracks.get(track);
  }

  /** Where a list has this resource now; of several lists, the one used last. */
  find(source: string, resource: ListedResource): ListPlace | undefined {
    const key = placeKey(resource);
    for (const [name, track] of this.#tracks.entries()) {
      if (track.source !== source) continue;
      const { segments, isEnded } = listOf(track);
      const index = indexesOf(track).get(key);
      if (index !== undefined) return { track: name, source, segments, index, isEnded };
    }
    return undefined;
  }
}

/** Names a resource within the lists of one source. */
export const placeKey = ({ url, range }: ListedResource): string =>
  range ? `${url}\n${range.first}-${range.last}` : url;

const listOf = (track: Track): SegmentList =>
  (track.list ??= segmentListOf(track.playlist.text, {
    baseUrl: track.playlist.finalUrl,
    encoding: track.playlist.encoding,
    imported: track.imported,
  }));

/** By place, and by URL alone: then the first of its ranges. */
const indexesOf = (track: Track): ReadonlyMap<string, number> =>
  (track.indexes ??= new Map(
    listOf(track)
      .segments.flatMap((segment, index): [string, number][] => [
        [segment.url, index],
        [placeKey(segment), index],
      ])
      .toReversed(),
  ));
