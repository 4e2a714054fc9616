import type { PlaylistFacts } from '#hls';

/** What decides how soon a playlist is worth asking for again. */
export type Paced = Pick<PlaylistFacts, 'shape' | 'targetDurationMs' | 'isEnded'> & {
  /** It is made here: asking again costs no source anything. */
  readonly isCut?: boolean;
};

/** Players ask by their own clocks: one that asks a little early must not get the last answer. */
const PUNCTUALITY = 0.9;
const DEFAULT_TARGET_MS = 6_000;
/** A target duration is what a source says, and it may say anything. */
const MAX_TARGET_MS = 15_000;
const MIN_FRESH_MS = 250;
/** Names of variants do not change, but tokens in them grow old. */
const MULTIVARIANT_FRESH_MS = 1_000;
/** Nothing will be added to it; but it may be withdrawn, or its links may grow old. */
const ENDED_FRESH_MS = 10_000;
const STALE_TARGET_DURATIONS = 3;
const MIN_PATIENCE_MS = 1_000;

const targetOf = ({ targetDurationMs = DEFAULT_TARGET_MS }: Paced): number =>
  Math.min(MAX_TARGET_MS, targetDurationMs);

/**
 * For how long a playlist is given to all, from when it was asked for. After a change a live one
 * will not change for about a target duration; half of one where it had not changed
 * (RFC 8216 §6.3.4).
 */
export function freshForMs(playlist: Paced, hasChanged: boolean): number {
  if (playlist.shape === 'multivariant') return MULTIVARIANT_FRESH_MS;
  if (playlist.isEnded) return ENDED_FRESH_MS;
  if (playlist.isCut) return MIN_FRESH_MS;
  const targetMs = targetOf(playlist);
  return Math.max(MIN_FRESH_MS, PUNCTUALITY * (hasChanged ? targetMs : targetMs / 2));
}

/** For how long one that cannot be had anew is better than none: what players have in hand. */
export const staleForMs = (playlist: Paced): number => STALE_TARGET_DURATIONS * targetOf(playlist);

/** How long a viewer waits for a reload before it gets the last playlist again. */
export const patienceMs = (playlist: Paced): number =>
  Math.max(MIN_PATIENCE_MS, targetOf(playlist) / 2);

/** How soon sources that have just failed are asked again on behalf of those who ask meanwhile. */
export const retryAfterMs = (playlist: Paced): number => Math.min(1_000, targetOf(playlist) / 2);
