/** How a run of FFmpeg ended that nobody had stopped. */
export type RunEnding = {
  readonly exitCode: number | null;
  /** The source broke off, whatever FFmpeg made of it. */
  readonly sourceFailed: boolean;
  /** It was ended because no segment came. */
  readonly isStalled: boolean;
  /** FFmpeg was killed or has crashed. */
  readonly isCrash: boolean;
  /** Anything came of it. */
  readonly hasBegun: boolean;
};

export type ExitFacts = {
  readonly ending: RunEnding;
  readonly isDvr: boolean;
  /** A segment of the programme has been listed. */
  readonly hasPlayed: boolean;
  /** Of the programme, `null` when it goes to the end of its source. */
  readonly leftSeconds: number | null;
  /** Since the last new segment, or since the start. */
  readonly sinceProgressMs: number;
  /** Runs that have been begun anew since the last new segment. */
  readonly restarts: number;
  readonly dvrWindowMs: number;
};

export type AfterExit =
  | { readonly action: 'ended' }
  | { readonly action: 'restart'; readonly delayMs: number }
  | { readonly action: 'failed' };

const MOST_RESTARTS = 3;
const RESTART_MS = 1_000;
/** Less than this is the last segment's rounding. */
const REST_SECONDS = 1;

/**
 * What becomes of a programme whose FFmpeg has ended.
 *
 * A recording goes on until its time is over, whatever happens, as long as something comes within
 * its window. A network goes on where FFmpeg or its source broke off in the middle; an app hears of
 * it when that does not help. A programme of which nothing could be shown has not ended but failed,
 * however content FFmpeg was: its app would start it again and again.
 */
export function afterExit(facts: ExitFacts): AfterExit {
  const { ending, isDvr, hasPlayed, leftSeconds } = facts;
  const isOver = leftSeconds !== null && leftSeconds <= REST_SECONDS;
  if (isOver && ending.hasBegun) return { action: 'ended' };
  const isGood = ending.exitCode === 0 && !ending.sourceFailed && hasPlayed;
  if (isGood && !(isDvr && leftSeconds !== null)) return { action: 'ended' };
  return isDvr ? recordingBrokeOff(facts) : networkBrokeOff(facts);
}

function recordingBrokeOff(facts: ExitFacts): AfterExit {
  const { ending, restarts, sinceProgressMs, dvrWindowMs } = facts;
  const isStart = !ending.hasBegun && restarts === 0;
  return isStart || sinceProgressMs >= dvrWindowMs ? { action: 'failed' } : again(restarts);
}

function networkBrokeOff({ ending, restarts }: ExitFacts): AfterExit {
  const isAccident = ending.isCrash || ending.isStalled || ending.sourceFailed;
  const isStart = !ending.hasBegun && !ending.isCrash && restarts === 0;
  return isAccident && !isStart && restarts < MOST_RESTARTS
    ? again(restarts)
    : { action: 'failed' };
}

const again = (restarts: number): AfterExit => ({
  action: 'restart',
  delayMs: restarts === 0 ? 0 : RESTART_MS,
});
