/** A segment at a place where the next could begin. */
export type CutChoice = {
  /** What it would last if it ended here. */
  readonly durationMs: number;
  /** From the keyframe before to this one: the next is expected as far away. */
  readonly gopMs: number;
  readonly targetMs: number;
  /** Among the first of a stream: players wait for it. */
  readonly isEarly: boolean;
  /** Tracks or times do not go on from here. */
  readonly breaks: boolean;
};

/** Keyframes are seldom on the millisecond. */
const SLACK_MS = 100;
/** The longest that a segment should be, and the shortest, in targets. */
const LONGEST = 1.5;
const SHORTEST = 0.5;

/**
 * Whether to end a segment at this keyframe: when it is long enough, or when it would be too long
 * at the next.
 */
export function isDue({ durationMs, gopMs, targetMs, isEarly, breaks }: CutChoice): boolean {
  if (breaks) return true;
  const wantedMs = isEarly ? SHORTEST * targetMs : targetMs;
  if (durationMs >= wantedMs - SLACK_MS) return true;
  const isLongEnough = durationMs >= SHORTEST * targetMs;
  return isLongEnough && durationMs + gopMs > LONGEST * targetMs + SLACK_MS;
}

/** How long segments will be where keyframes come this far apart. */
export function expectedMs(gopMs: number, targetMs: number): number {
  if (gopMs <= 0) return targetMs;
  const needed = Math.ceil((targetMs - SLACK_MS) / gopMs);
  const isTooLong = needed > 1 && needed * gopMs > LONGEST * targetMs + SLACK_MS;
  return (isTooLong ? needed - 1 : needed) * gopMs;
}

/** Without a keyframe for so many targets, a segment ends where it can. */
const PATIENCE = 4;

/** Whether to end a segment where none should begin, because no keyframe comes. */
export const isOverdue = (durationMs: number, targetMs: number): boolean =>
  durationMs >= PATIENCE * targetMs;
