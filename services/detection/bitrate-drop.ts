import { ahead27m, TICKS_PER_MS_27M } from './clock27m.ts';
import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';
import { Seconds } from './seconds.ts';

/** Providers begin with a burst, which says nothing of their rate. */
const SETTLE_MS = 5_000;
const BASELINE_SECONDS = 60;
const LEAST_BASELINE_SECONDS = 10;
/** A source that sends media this fast keeps up, however few bytes it needs for it. */
const KEEPS_UP = 0.9;
/** A clock that leaps says nothing of how fast media comes. */
const LEAP_MS = 10_000;
/** Of a source that sends in bursts, so many have to be missing. */
const BURSTS = 3;

const HELD_MS = 50;

type Second = { ms: number; bytes: number; mediaMs: number; pausedMs: number };

/**
 * A source that sends far less than it used to, and less media than time passes: its viewers are
 * running dry. A still picture or a quiet scene needs few bytes and is neither.
 */
export class BitrateDrop implements Detector {
  readonly #settings: DetectionSettings['bitrateDrop'];
  readonly #seconds = new Seconds<Second>(BASELINE_SECONDS, begin);
  #last: Sample | undefined;

  constructor(settings: DetectionSettings['bitrateDrop']) {
    this.#settings = settings;
  }

  see(sample: Sample): Finding | undefined {
    const last = this.#last;
    this.#last = sample;
    if (last === undefined || last.readMs < SETTLE_MS) return undefined;
    const { present } = this.#seconds;
    present.ms += sample.readMs - last.readMs;
    present.bytes += sample.bytes - last.bytes;
    present.mediaMs += mediaMs(sample, last);
    present.pausedMs += sample.pausedMs - last.pausedMs;
    if (!this.#seconds.turn(sample.readMs - SETTLE_MS)) return undefined;
    return this.#judge(sample);
  }

  #judge({ peakGapMs, facts }: Sample): Finding | undefined {
    const { past } = this.#seconds;
    const window = Math.ceil(Math.max(this.#settings.forMs, BURSTS * peakGapMs) / 1000);
    const recent = past.slice(-window);
    const before = past.slice(0, -window).filter((second) => !isHeld(second));
    const isKnown = before.length >= LEAST_BASELINE_SECONDS && recent.length === window;
    if (!isKnown || recent.some(isHeld)) return undefined;
    // A silence is for others to judge.
    if (recent.at(-1)?.bytes === 0) return undefined;
    const share = rate(recent) / Math.max(1, rate(before));
    const isMediaSlow = facts.pcr27m === undefined || runsDry(recent);
    if (share >= this.#settings.share || !isMediaSlow) return undefined;
    return {
      code: 'UPSTREAM_BITRATE_LOW',
      message: 'The source sends far less than it did.',
      details: { shareOfBefore: Math.round(share * 100) / 100 },
    };
  }
}

const begin = (): Second => ({ ms: 0, bytes: 0, mediaMs: 0, pausedMs: 0 });

/** A viewer held the source up: its rate is not its own. */
const isHeld = ({ pausedMs }: Second): boolean => pausedMs > HELD_MS;

function mediaMs({ facts }: Sample, last: Sample): number {
  if (facts.pcr27m === undefined || last.facts.pcr27m === undefined) return 0;
  const ms = ahead27m(facts.pcr27m, last.facts.pcr27m) / TICKS_PER_MS_27M;
  return ms > 0 && ms < LEAP_MS ? ms : 0;
}

const sum = (seconds: readonly Second[], key: 'ms' | 'bytes' | 'mediaMs'): number =>
  seconds.reduce((total, second) => total + second[key], 0);

const rate = (seconds: readonly Second[]): number =>
  sum(seconds, 'bytes') / Math.max(1, sum(seconds, 'ms'));

/** One that hesitates is late in a second or two; one that sends too little, in most. */
function runsDry(seconds: readonly Second[]): boolean {
  const slow = seconds.filter((second) => mediaRate([second]) < KEEPS_UP);
  return mediaRate(seconds) < KEEPS_UP && 2 * slow.length >= seconds.length;
}

const mediaRate = (seconds: readonly Second[]): number =>
  sum(seconds, 'mediaMs') / Math.max(1, sum(seconds, 'ms'));
