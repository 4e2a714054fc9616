import { UnitStream, readFragment, readInit } from '#fmp4';
import type { Fragment, MediaInit, TrackPart } from '#fmp4';
import type { Clock } from '#kernel/clock';
import { isDue, isOverdue } from './cut-policy.ts';

/** A finished segment of fragmented MP4: from a keyframe to before another. */
export type CutFragments = {
  readonly init: MediaInit;
  readonly fragments: readonly Fragment[];
  readonly durationMs: number;
  /** Epoch milliseconds: when its first picture is due. */
  readonly startsAtMs: number;
  /** Tracks or times do not go on from the segment before. */
  readonly startsAnew: boolean;
  /** It begins with a keyframe. */
  readonly isIndependent: boolean;
};

export type FragmentCutterOptions = {
  readonly targetMs: number;
  /** A segment ends when it has grown to this, wherever that is. */
  readonly mostBytes: number;
  readonly clock: Clock;
  readonly cut: (segment: CutFragments) => void;
};

/** The first segments are short, so that players begin soon. */
const EARLY_SEGMENTS = 2;
/** Times that step further do not go on. */
const MOST_STEP_MS = 10_000;

/** The segment that is being filled. */
type Open = {
  readonly init: MediaInit;
  readonly fragments: Fragment[];
  readonly fromMs: number;
  /** Where the times of its leading track have come to. */
  untilMs: number;
  bytes: number;
  readonly startsAtMs: number;
  readonly startsAnew: boolean;
  readonly isIndependent: boolean;
};

/**
 * Cuts fragmented MP4 into segments where a fragment begins with a keyframe of the first picture
 * track. All tracks are cut there, so that those of a ladder stay in step. Where another file
 * begins in the middle, as when a run is replaced, so does a segment that starts anew.
 */
export class FragmentCutter {
  readonly #options: FragmentCutterOptions;
  readonly #units = new UnitStream();
  #init: MediaInit | undefined;
  #open: Open | undefined;
  #keyMs = 0;
  #gopMs = 0;
  #endsAtMs: number | undefined;
  #segments = 0;

  constructor(options: FragmentCutterOptions) {
    this.#options = options;
  }

  /** From one keyframe to the next, the last time; 0 before two have come. */
  get gopMs(): number {
    return this.#gopMs;
  }

  /** @throws MediaError `UPSTREAM_WRONG_TYPE` */
  push(bytes: Buffer): void {
    for (const unit of this.#units.push(bytes)) {
      if (unit.kind === 'init') this.#begin(unit.bytes);
      else if (this.#init !== undefined) this.#take(readFragment(unit.bytes, this.#init));
    }
  }

  #begin(bytes: Buffer): void {
    if (this.#open !== undefined) this.#finish(this.#open, this.#open.untilMs);
    this.#init = readInit(bytes);
  }

  #take(fragment: Fragment): void {
    const leader = leaderOf(fragment);
    if (leader === undefined) return;
    const open = this.#open;
    if (open === undefined) return leader.isSync ? this.#start(fragment, leader, true) : undefined;
    const stepMs = leader.startsAtMs - open.untilMs;
    const leaps = Math.abs(stepMs) > MOST_STEP_MS;
    if (leaps || this.#isCut(open, leader)) {
      this.#finish(open, leaps ? open.untilMs : leader.startsAtMs);
      return this.#start(fragment, leader, leaps);
    }
    add(open, fragment);
    open.untilMs = leader.startsAtMs + leader.durationMs;
  }

  #isCut(open: Open, { isSync, startsAtMs }: TrackPart): boolean {
    const { targetMs, mostBytes } = this.#options;
    if (open.bytes >= mostBytes) return true;
    const durationMs = startsAtMs - open.fromMs;
    if (!isSync) return isOverdue(durationMs, targetMs);
    const gopMs = Math.max(0, startsAtMs - this.#keyMs);
    this.#gopMs = gopMs;
    this.#keyMs = startsAtMs;
    const isEarly = this.#segments < EARLY_SEGMENTS;
    return isDue({ durationMs, gopMs, targetMs, isEarly, breaks: false });
  }

  #start(fragment: Fragment, leader: TrackPart, isBreak: boolean): void {
    const { startsAtMs: fromMs, durationMs, isSync: isIndependent } = leader;
    if (this.#init === undefined) return;
    const startsAnew = isBreak && this.#segments > 0;
    const nowMs = this.#options.clock.nowMs();
    this.#keyMs = fromMs;
    this.#open = {
      init: this.#init,
      fragments: [fragment],
      fromMs,
      untilMs: fromMs + durationMs,
      bytes: fragment.bytes.length,
      startsAtMs: startsAnew ? nowMs : (this.#endsAtMs ?? nowMs),
      startsAnew,
      isIndependent,
    };
  }

  #finish(open: Open, untilMs: number): void {
    const { init, fragments, startsAtMs, startsAnew, isIndependent, fromMs } = open;
    const durationMs = Math.max(1, untilMs - fromMs);
    this.#segments += 1;
    this.#endsAtMs = startsAtMs + durationMs;
    this.#open = undefined;
    this.#options.cut({ init, fragments, durationMs, startsAtMs, startsAnew, isIndependent });
  }
}

function add(open: Open, fragment: Fragment): void {
  open.fragments.push(fragment);
  open.bytes += fragment.bytes.length;
}

const leaderOf = ({ parts }: Fragment): TrackPart | undefined =>
  parts.find(({ track }) => track.kind === 'video') ?? parts[0];
