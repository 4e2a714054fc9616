import type { Variables } from './variables.ts';

/**
 * One playlist among those that a multivariant playlist names: which, counted among those of its
 * role, so that another source's playlist can be asked for its like.
 */
export type Track = {
  /** `variant`, `iframe`, `image`, or the type of a rendition: `audio`, `video`, `subtitles`. */
  readonly role: string;
  /** Counted from 0 among those of the same role, in the order of the text. */
  readonly ordinal: number;
  /** Bits per second as announced; 0 where nothing is announced. */
  readonly bandwidth: number;
  /** `STABLE-VARIANT-ID` or `STABLE-RENDITION-ID`: the name that steering knows it by. */
  readonly stableId?: string;
};

/** A track, where its playlist is, and what was defined when it was named. */
export type TrackUrl = {
  readonly track: Track;
  readonly url: string;
  readonly variables: Variables;
};

/**
 * The track of another multivariant playlist that stands in best for the wanted one: of the same
 * role, nearest in bandwidth, and among equals nearest in position.
 */
export function closestTrack(wanted: Track, offered: readonly TrackUrl[]): TrackUrl | undefined {
  let best: TrackUrl | undefined;
  for (const candidate of offered) {
    if (candidate.track.role !== wanted.role) continue;
    if (best === undefined || isCloser(wanted, candidate.track, best.track)) best = candidate;
  }
  return best;
}

function isCloser(wanted: Track, candidate: Track, best: Track): boolean {
  const gain = distance(wanted, best) - distance(wanted, candidate);
  if (gain !== 0) return gain > 0;
  return Math.abs(candidate.ordinal - wanted.ordinal) < Math.abs(best.ordinal - wanted.ordinal);
}

/** Nothing announced on one side says nothing: then position decides. */
const distance = (wanted: Track, offered: Track): number =>
  wanted.bandwidth === 0 || offered.bandwidth === 0
    ? 0
    : Math.abs(wanted.bandwidth - offered.bandwidth);
