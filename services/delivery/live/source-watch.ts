import { SilenceWatch, SourceJudge } from '#detection';
import type { Finding, Rhythm, SourceFacts } from '#detection';
import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { ahead27m } from '#mpegts';
import type { SourceDetection } from './detection.ts';
import { MediaWatch } from './media-watch.ts';
import { StallWatch } from './stall-watch.ts';

/** Without another source to go to, and where nobody sees it, a hiccup is better waited for. */
const PATIENT_FLOOR_MS = 3_000;
/** The clock of the first chunks says how far ahead of time a source begins. */
const FIRST_CHUNKS_MS = 1_000;
const TICKS_27M_PER_MS = 27_000;

export type SourceWatchOptions = {
  readonly stallMs: number;
  /** A silence that is the source's nature; asked at every look. None when absent. */
  readonly burstMs?: () => number;
  readonly detection: SourceDetection | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Undefined while nobody looks into the source; then only `stallMs` counts. */
  readonly facts: () => (() => SourceFacts) | undefined;
  /** It is only held ready: nobody sees it, and there is no hurry. */
  readonly isSpare: () => boolean;
  readonly lostBytes: () => number;
  /** Called once; the watch has stopped. */
  readonly failed: (error: AppError) => void;
  readonly suspected: (isSuspected: boolean) => void;
};

/**
 * Finds out that a source that is being read is a bad one. Beside the byte path: chunks leave
 * their time and size, everything else is looked at four times a second.
 */
export class SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #stall: StallWatch;
  #judge: SourceJudge | undefined;
  readonly #silence: SilenceWatch | undefined;
  readonly #media: MediaWatch | undefined;
  #bytes = 0;
  #first27m: number | undefined;
  #aheadMs: number | undefined;

  constructor(options: SourceWatchOptions) {
    const { detection, clock, timers } = options;
    this.#options = options;
    this.#judge = detection && new SourceJudge(detection.settings);
    this.#silence = detection && this.#silenceWatch(detection);
    this.#media = detection && mediaWatch(detection, clock);
    this.#stall = new StallWatch({
      clock,
      timers,
      lag: detection?.lag,
      limitMs: (rhythm) => this.#limitMs(rhythm),
      looked: () => this.#look(),
      stalled: (silentMs) => this.#fail(stalled(silentMs)),
      suspected: options.suspected,
    });
  }

  /** When something was heard last. */
  get lastMs(): number {
    return this.#stall.lastMs;
  }

  heard(bytes: number): void {
    this.#bytes += bytes;
    this.#stall.heard();
  }

  /** These packets have been passed on; only samples look at them. */
  took(parts: readonly Buffer[]): void {
    const facts = this.#options.facts();
    if (facts !== undefined && !this.#options.isSpare()) this.#media?.take(parts, facts);
    if (this.#silence?.isCollecting) this.#silence.take(parts);
    if (this.#first27m === undefined && this.#stall.rhythm.heardForMs < FIRST_CHUNKS_MS) {
      this.#first27m = facts?.().pcr27m;
    }
  }

  /** Somebody else counts what comes from now on; it is the same source. */
  judgeAnew(): void {
    const { detection } = this.#options;
    this.#judge = detection && new SourceJudge(detection.settings);
  }

  /** The source begins anew: its counts and its clock start over, its rhythm stays. */
  restart(): void {
    this.judgeAnew();
    this.#first27m = undefined;
    this.#aheadMs = undefined;
  }

  pause(): void {
    this.#stall.pause();
  }

  resume(): void {
    this.#stall.resume();
  }

  /** Idempotent. */
  stop(): void {
    this.#stall.stop();
    this.#silence?.stop();
    this.#media?.stop();
  }

  #silenceWatch({ silence, silenceProbe }: SourceDetection): SilenceWatch | undefined {
    if (!silence.isOn || silenceProbe === undefined) return undefined;
    return new SilenceWatch({
      settings: silence,
      probe: silenceProbe,
      found: (finding) => this.#found(finding),
    });
  }

  #limitMs(rhythm: Rhythm): number {
    return Math.max(this.#options.burstMs?.() ?? 0, this.#learnedMs(rhythm));
  }

  #learnedMs(rhythm: Rhythm): number {
    const { detection, stallMs } = this.#options;
    const isJudged = detection?.settings.stall.isAdaptive && this.#options.facts() !== undefined;
    if (!isJudged || rhythm.heardForMs === 0) return stallMs;
    const isUrgent = detection.hasOther() && !this.#options.isSpare();
    const floorMs = isUrgent ? detection.settings.stall.floorMs : PATIENT_FLOOR_MS;
    return rhythm.limitMs({ floorMs, ceilingMs: stallMs }, this.#aheadMs);
  }

  #look(): void {
    const facts = this.#options.facts()?.();
    const { detection } = this.#options;
    if (facts === undefined || detection === undefined || this.#stall.rhythm.isPaused) return;
    this.#aheadMs = this.#aheadOf(facts);
    const { readMs, pausedMs, rhythm } = this.#stall;
    const sample = {
      readMs,
      bytes: this.#bytes,
      lostBytes: this.#options.lostBytes(),
      pausedMs,
      peakGapMs: rhythm.peakGapMs,
      facts,
    };
    const hasOther = detection.hasOther();
    const finding = this.#judge?.see(sample, hasOther);
    if (finding !== undefined) this.#found(finding);
    else if (hasOther && !this.#options.isSpare()) this.#silence?.look(readMs, facts);
  }

  #aheadOf({ pcr27m }: SourceFacts): number | undefined {
    if (pcr27m === undefined || this.#first27m === undefined) return undefined;
    return ahead27m(pcr27m, this.#first27m) / TICKS_27M_PER_MS - this.#stall.rhythm.heardForMs;
  }

  #found({ code, message, details }: Finding): void {
    const Family = code === 'UPSTREAM_WRONG_TYPE' ? MediaError : UpstreamError;
    this.#fail(new Family(code, { message, details }));
  }

  #fail(error: AppError): void {
    this.stop();
    this.#options.failed(error);
  }
}

function mediaWatch(detection: SourceDetection, clock: Clock): MediaWatch | undefined {
  const { mediaProbe: probe, lookAtMedia: claim } = detection;
  return probe && claim && new MediaWatch({ probe, claim, clock });
}

const stalled = (silentMs: number): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', {
    message: 'The source has stopped sending.',
    details: { silentMs: Math.round(silentMs) },
  });
