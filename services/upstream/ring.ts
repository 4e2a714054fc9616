import { isReady } from './source-health.ts';
import type { SourceHealth } from './source-health.ts';

/** One source in its place; -1 is the primary, n the (n+1)-th backup. */
export type RingPlace = { readonly index: number; readonly health: SourceHealth };

/** Whose turn it is, and in how many milliseconds. */
export type RingChoice = { readonly index: number; readonly waitMs: number };

/** While every source cools, somebody watches a still picture: none is awaited for longer. */
export const MAX_RING_WAIT_MS = 5000;

/**
 * The next source: the first that is not cooling; then one that another reader is trying; when all
 * cool, the one that is ready first, when it is.
 *
 * @param places - In ring order, beginning after the source in use.
 */
export function chooseNext(places: readonly RingPlace[], nowMs: number): RingChoice | undefined {
  const free = firstFree(places, nowMs);
  if (free !== undefined) return { index: free.index, waitMs: 0 };
  const earliest = least(places, ({ health }) => health.readyAtMs);
  if (earliest === undefined) return undefined;
  const waitMs = Math.max(0, earliest.health.readyAtMs - nowMs);
  return { index: earliest.index, waitMs: Math.min(MAX_RING_WAIT_MS, waitMs) };
}

/**
 * The next source for whoever cannot wait, because no picture has come yet or an app asked for it:
 * when all cool, the one that has had the longest rest.
 */
export function chooseNow(places: readonly RingPlace[], nowMs: number): RingChoice | undefined {
  const next = firstFree(places, nowMs) ?? least(places, ({ health }) => health.failedAtMs);
  return next && { index: next.index, waitMs: 0 };
}

const firstFree = (places: readonly RingPlace[], nowMs: number): RingPlace | undefined =>
  places.find(({ health }) => isReady(health, nowMs)) ??
  places.find(({ health }) => health.state === 'half-open');

function least(
  places: readonly RingPlace[],
  keyOf: (place: RingPlace) => number,
): RingPlace | undefined {
  let [best] = places;
  for (const place of places) if (best && keyOf(place) < keyOf(best)) best = place;
  return best;
}

/** What the return to the primary depends on. */
export type ReturnQuestion = {
  readonly index: number;
  /** How long the backup has been in use. */
  readonly onBackupMs: number;
  /** The setting; 0 for never. */
  readonly failbackAfterMs: number;
  readonly primary: SourceHealth;
  readonly nowMs: number;
};

/** Whether it is time to try the primary, beside the backup in use, in order to return to it. */
export const isReturnDue = (question: ReturnQuestion): boolean =>
  question.failbackAfterMs > 0 &&
  question.index >= 0 &&
  question.onBackupMs >= question.failbackAfterMs &&
  isReady(question.primary, question.nowMs);
