import { takesOver } from './splice-plan.ts';
import type { Arrival, ShownTrack } from './splice-plan.ts';

/** What another process has to know in order to go on with the numbers of a track. */
export type KeptTrack = Omit<ShownTrack, 'advancedAtMs'>;

/** No segments are taken to follow one another faster. */
const SHORTEST_MS = 500;
/** More marks than this are counted as if they had left the window: ahead, never back. */
const MAX_MARKS = 64;

/** What is kept of a track; of a size that is bounded. */
export function keptTrack(shown: ShownTrack): KeptTrack {
  const { marks, advancedAtMs: _, ...all } = shown;
  const isLong = marks.at.length > MAX_MARKS;
  const kept = isLong ? { before: marks.before + marks.at.length, at: [] } : marks;
  return { ...all, marks: kept };
}

/** How much it matters that it is kept anew: before viewers see more of it, soon, or not at all. */
export function newsOf(last: KeptTrack | undefined, next: KeptTrack): 'switch' | 'news' | 'none' {
  if (!last) return next.join ? 'switch' : 'news';
  if (!isSameJoin(last, next)) return 'switch';
  return last.endDiscontinuity === next.endDiscontinuity ? 'none' : 'news';
}

const isSameJoin = (last: KeptTrack, next: KeptTrack): boolean =>
  last.source === next.source &&
  last.join?.offset === next.join?.offset &&
  last.join?.at === next.join?.at;

/**
 * Takes up a track that another process has shown. From the same source it goes on number by
 * number. Of another one's, or where the source has started over, nobody knows how many segments
 * have been shown since it was kept: then numbers go on behind as many as there can have been.
 *
 * @param agoMs - How long ago it was kept.
 */
export function resumedTrack(kept: KeptTrack, arrival: Arrival, agoMs: number): ShownTrack {
  if (!takesOver(kept, arrival)) return { ...kept, advancedAtMs: arrival.nowMs };
  const mostShown = Math.ceil(Math.max(0, agoMs) / SHORTEST_MS) + 1;
  return {
    ...kept,
    advancedAtMs: arrival.nowMs - agoMs,
    end: kept.end + mostShown,
    endDiscontinuity: kept.endDiscontinuity + 1,
  };
}
