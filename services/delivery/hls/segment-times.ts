import type { Target } from '#hls';
import type { ListPlace } from './track-lists.ts';

const FILM_KEEP_MS = 600_000;
const MAP_KEEP_MS = 300_000;
const MIN_KEEP_MS = 10_000;
const MAX_LIVE_KEEP_MS = 300_000;
/** Of a resource that no list names any more, or does not name yet. */
const UNLISTED_KEEP_MS = 30_000;

/**
 * How long a resource serves others. Keys and documents only those who ask at the same time; a live
 * segment until it has left its list, and players that are behind have had it.
 */
export function keepMsOf(
  { kind, place }: Target,
  listed: ListPlace | undefined,
  targetDurationMs: number,
): number {
  if (kind === 'map') return MAP_KEEP_MS;
  if (kind !== 'segment') return 0;
  if (place || listed?.isEnded) return FILM_KEEP_MS;
  if (!listed) return UNLISTED_KEEP_MS;
  const windowMs = listed.segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return Math.min(MAX_LIVE_KEEP_MS, Math.max(MIN_KEEP_MS, windowMs + 2 * targetDurationMs));
}

const MIN_STALL_MS = 1_000;

/**
 * How long a source may be silent within a segment: half a target duration, so that what is asked
 * for again can still come while the player has something to show.
 */
export const stallMsOf = (targetDurationMs: number, maxStallMs: number): number =>
  Math.min(maxStallMs, Math.max(MIN_STALL_MS, targetDurationMs / 2));
