import type { PlaylistWindow } from './playlist-window.ts';
import { inEpoch } from './split-sequence.ts';

/** How one playlist must be renumbered so that players take it for the one before, going on. */
export type SplicePlan = {
  /** Leading segments to leave out: the player has seen their like from the last source. */
  readonly hide: number;
  /** Added to every media sequence number. */
  readonly offset: number;
  readonly firstSequence: number;
  /** Of the numbers that viewers see, and of the source's own (`SplitSequence`). */
  readonly epoch?: number;
  readonly sourceEpoch?: number;
  readonly discontinuitySequence: number;
  /** The first segment shown begins what another source had not: say so in front of it. */
  readonly marksDiscontinuity: boolean;
};

/** What viewers have been shown of one playlist, in the numbers they have seen. */
export type ShownTrack = {
  readonly source: string;
  /** The number after the last segment's. */
  readonly end: number;
  /** Of the numbers that viewers see, and of the source's own (`SplitSequence`). */
  readonly epoch?: number;
  readonly sourceEpoch?: number;
  readonly endDiscontinuity: number;
  /** When the last segment appeared, monotonic milliseconds. */
  readonly advancedAtMs: number;
  /** The source's own first number in its last playlist: a restart steps behind it. */
  readonly sourceFirst: number;
  readonly marks: SourceMarks;
  /** Set once sources have changed: how the present source's numbers become the viewers'. */
  readonly join?: Join;
};

/** The present source's discontinuities, in its own numbers. */
type SourceMarks = {
  /** Before the first segment of its last playlist, as counted here. */
  readonly before: number;
  /** Media sequence numbers of the segments that had a mark in front. */
  readonly at: readonly number[];
};

type Join = {
  readonly offset: number;
  readonly discontinuityOffset: number;
  /** The viewers' number of the present source's first segment. */
  readonly at: number;
};

export type Arrival = {
  readonly source: string;
  readonly window: PlaylistWindow;
  readonly targetDurationMs: number;
  readonly nowMs: number;
};

/** Where a playlist leaves the viewers, and how it must be changed for them, if at all. */
export type Step = { readonly shown: ShownTrack; readonly plan: SplicePlan | undefined };

/**
 * Takes one more playlist of a live track.
 *
 * While the source stays the same nothing is changed. When another takes over, or the same starts
 * over with lower numbers, its segments are numbered on from the last ones shown, behind a
 * discontinuity: players neither wait for numbers that never come nor stop (RFC 8216 §6.2.1 forbids
 * numbers to step back). Of the new source's window only as much is shown as time has passed since
 * the last segment appeared, so that the picture goes on about where it was.
 */
export function stepTrack(shown: ShownTrack | undefined, arrived: Arrival): Step {
  if (shown === undefined) return { shown: firstShown(arrived), plan: undefined };
  const isOther = takesOver(shown, arrived);
  const arrival = isOther ? arrived : { ...arrived, window: counted(shown.marks, arrived.window) };
  const join = isOther ? joinOf(shown, arrival) : shown.join;
  const plan = join && { ...planOf(join, arrival.window), ...epochs(shown.epoch, arrival.window) };
  return { shown: nextShown(shown, arrival, join), plan };
}

/** Where viewers count, and where the source does. */
const epochs = (
  epoch: number | undefined,
  window: PlaylistWindow,
): Pick<ShownTrack, 'epoch' | 'sourceEpoch'> => ({
  ...inEpoch(epoch),
  ...(window.epoch === undefined ? {} : { sourceEpoch: window.epoch }),
});

function firstShown({ source, window, nowMs }: Arrival): ShownTrack {
  return {
    source,
    end: window.firstSequence + window.segmentCount,
    ...epochs(window.epoch, window),
    endDiscontinuity: window.discontinuitySequence + window.discontinuities.length,
    advancedAtMs: nowMs,
    sourceFirst: window.firstSequence,
    marks: marksOf(window),
  };
}

const marksOf = ({
  firstSequence,
  discontinuitySequence,
  discontinuities,
}: PlaylistWindow): SourceMarks => ({
  before: discontinuitySequence,
  at: discontinuities.map((index) => firstSequence + index),
});

/**
 * The window with its discontinuities counted as RFC 8216 §6.2.2 asks: every mark that has left it
 * is in the number in front. Many servers never write that number.
 */
function counted(last: SourceMarks, window: PlaylistWindow): PlaylistWindow {
  const gone = last.at.filter((sequence) => sequence < window.firstSequence).length;
  const discontinuitySequence = Math.max(window.discontinuitySequence, last.before + gone);
  return { ...window, discontinuitySequence };
}

/** Another source; or the same one, whose whole window lies before the last one's, or far from it. */
export function takesOver(
  shown: Pick<ShownTrack, 'source' | 'sourceFirst' | 'sourceEpoch'>,
  { source, window }: Arrival,
): boolean {
  if (source !== shown.source || window.epoch !== shown.sourceEpoch) return true;
  const { firstSequence, segmentCount } = window;
  return segmentCount > 0 && firstSequence + segmentCount <= shown.sourceFirst;
}

function joinOf(shown: ShownTrack, arrival: Arrival): Join {
  const { window } = arrival;
  const hide = window.isTrimmable ? hiddenOf(shown, arrival) : 0;
  const offset = shown.end - (window.firstSequence + hide);
  const discontinuity = discontinuityAt(window, hide);
  return {
    at: shown.end,
    offset,
    discontinuityOffset: shown.endDiscontinuity + 1 - discontinuity,
  };
}

function hiddenOf(shown: ShownTrack, { window, targetDurationMs, nowMs }: Arrival): number {
  const { firstSequence, segmentCount } = window;
  // A mirror of the last source counts as it did: it goes on at the very next number.
  const aligned = window.epoch === shown.epoch ? shown.end - firstSequence : -1;
  if (aligned >= 0 && aligned < segmentCount) return aligned;
  const missed = Math.ceil((nowMs - shown.advancedAtMs) / Math.max(1, targetDurationMs));
  return Math.max(0, segmentCount - Math.max(1, missed));
}

/** The discontinuity number of a segment: how many there were up to it. */
const discontinuityAt = (window: PlaylistWindow, index: number): number =>
  window.discontinuitySequence + window.discontinuities.filter((at) => at <= index).length;

function planOf(join: Join, window: PlaylistWindow): SplicePlan {
  const hide = Math.max(0, join.at - join.offset - window.firstSequence);
  const firstSequence = window.firstSequence + hide + join.offset;
  const isJoin = firstSequence === join.at;
  const hasOwnMark = window.discontinuities.includes(hide);
  const discontinuity = discontinuityAt(window, hide) + join.discontinuityOffset;
  return {
    hide,
    offset: join.offset,
    firstSequence,
    discontinuitySequence: isJoin || hasOwnMark ? discontinuity - 1 : discontinuity,
    marksDiscontinuity: isJoin && !hasOwnMark,
  };
}

function nextShown(shown: ShownTrack, arrival: Arrival, join: Join | undefined): ShownTrack {
  const { source, window, nowMs } = arrival;
  const end = window.firstSequence + window.segmentCount + (join?.offset ?? 0);
  const discontinuities = window.discontinuitySequence + window.discontinuities.length;
  const hasAdvanced = end > shown.end;
  return {
    source,
    end: Math.max(end, shown.end),
    ...epochs(shown.epoch, window),
    endDiscontinuity: discontinuities + (join?.discontinuityOffset ?? 0),
    advancedAtMs: hasAdvanced ? nowMs : shown.advancedAtMs,
    sourceFirst: window.firstSequence,
    marks: marksOf(window),
    ...(join ? { join } : {}),
  };
}
