import type { ListedResource } from '#hls';
import type { ListPlace } from '#delivery/hls/playlists';

/** What may be fetched before anybody asks. */
export type AheadItem = {
  readonly kind: 'segment' | 'map';
  readonly resource: ListedResource;
};

/** However long its segments are, no list is fetched further ahead than this. */
const MAX_AHEAD_MS = 30_000;

/**
 * What comes next for viewers who were last seen at these places, newest first: for each the init
 * segment, then the segments behind its own, in order. Bounded by number and by playing time.
 */
export function aheadOf(places: readonly ListPlace[], count: number): readonly AheadItem[] {
  return places.flatMap((place) => windowOf(place, count));
}

function windowOf({ segments, index }: ListPlace, count: number): readonly AheadItem[] {
  const items: AheadItem[] = [];
  let aheadMs = 0;
  for (const segment of segments.slice(index + 1, index + 1 + count)) {
    if (aheadMs >= MAX_AHEAD_MS) break;
    aheadMs += segment.durationMs;
    if (segment.isGap) continue;
    if (segment.map) items.push({ kind: 'map', resource: segment.map });
    items.push({ kind: 'segment', resource: segment });
  }
  return items;
}
