import type { Target } from '#hls';
import type { ListPlace } from '#delivery/hls/playlists';

const FILM_KEEP_MS = 600_000;
const MAP_KEEP_MS = 300_000;
const MAX_LIVE_KEEP_MS = 300_000;
const DEFAULT_TARGET_MS = 6_000;

/**
 * How long a resource serves others. Keys and documents only those who ask at the same time; a live
 * segment for as long as it is listed and a little more, but not for another target duration: some
 * encoders use a name again as soon as its segment has left the list.
 */
export function keepMsOf(
  { kind, place }: Target,
  listed: ListPlace | undefined,
  targetDurationMs: number,
): number {
  if (kind === 'map') return MAP_KEEP_MS;
  if (kind !== 'segment') return 0;
  if (place || listed?.isEnded) return FILM_KEEP_MS;
  const targetMs = targetDurationMs || DEFAULT_TARGET_MS;
  // No list names it any more, or not yet.
  if (!listed) return targetMs;
  const windowMs = listed.segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return Math.min(MAX_LIVE_KEEP_MS, windowMs + targetMs / 2);
}

const MIN_STALL_MS = 1_000;

/**
 * How long a source may be silent within a segment: half a target duration, so that what is asked
 * for again can still come while the player has something to show.
 */
export const stallMsOf = (targetDurationMs: number, maxStallMs: number): number =>
  Math.min(maxStallMs, Math.max(MIN_STALL_MS, targetDurationMs / 2));
