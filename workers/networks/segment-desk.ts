import { sleep } from '#kernel/clock';
import type { Clock, Timers } from '#kernel/clock';
import { NO_SEGMENTS, subtitleText, withSegment } from '#networks';
import type { Beat, CueReader, Network, NetworkFolder, Opening, SegmentWindow } from '#networks';
import type { NetworkSettings } from './ports.ts';
import type { BenchSegment } from './run.ts';

export type SegmentDeskOptions = {
  readonly network: Network;
  readonly folder: NetworkFolder;
  readonly settings: Pick<NetworkSettings, 'subtitleOffsetMs'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Another segment can be seen by players. */
  readonly listed: (beat: Beat) => void;
};

/** Of one run of FFmpeg: what had been played before it. */
type RunBase = { readonly playedMs: number };

/** Players may still ask for what has just left the playlist. */
const KEPT_AFTER_MS = 60_000;
/** A subtitle may come a moment after the segment that it belongs to. */
const CUE_PATIENCE_MS = 300;

/** Puts finished segments into a network's playlist, and takes old ones away. */
export class SegmentDesk {
  readonly #options: SegmentDeskOptions;
  readonly #dropped: { readonly number: number; readonly dueMs: number }[] = [];
  #window: SegmentWindow = NO_SEGMENTS;
  #nextNumber = 0;
  #isDiscontinuous = false;
  #isFirstOfRun = true;
  #playedMs: number;
  #bytes: number;

  constructor(options: SegmentDeskOptions) {
    this.#options = options;
    this.#playedMs = options.network.playedMs;
    this.#bytes = options.network.bytesWritten;
  }

  get nextNumber(): number {
    return this.#nextNumber;
  }
  get playedMs(): number {
    return this.#playedMs;
  }

  open({ window, firstNumber, isDiscontinuous }: Opening): void {
    const { segmentSeconds } = this.#options.network.programme;
    this.#window = {
      ...window,
      targetSeconds: Math.max(window.targetSeconds, Math.ceil(segmentSeconds)),
    };
    this.#nextNumber = firstNumber;
    this.#isDiscontinuous = isDiscontinuous;
  }

  /** Another FFmpeg writes: its times have nothing to do with those before. */
  beginRun(): RunBase {
    this.#isFirstOfRun = true;
    if (this.#window.segments.length > 0) this.#isDiscontinuous = true;
    return { playedMs: this.#playedMs };
  }

  /** @throws Error when another worker has claimed the folder. */
  async list(segment: BenchSegment, cues: CueReader, base: RunBase): Promise<void> {
    const { folder, network, settings, timers } = this.#options;
    const { bench, number, startMs, endMs } = segment;
    const hasSubtitles = network.programme.subtitles !== null;
    if (hasSubtitles) await sleep(timers, CUE_PATIENCE_MS, NEVER);
    const window = this.#withSegment(segment);
    const offsetMs = settings.subtitleOffsetMs;
    const subtitles = hasSubtitles
      ? subtitleText(cues.cues, { startMs, endMs, offsetMs })
      : undefined;
    const size = await folder.publish({ bench, number, window, subtitles });
    if (size === undefined) throw new Error('Another worker has the folder.');
    cues.forgetBefore(endMs - offsetMs);
    this.#drop(window);
    this.#window = window;
    this.#nextNumber = number + 1;
    this.#isDiscontinuous = false;
    this.#isFirstOfRun = false;
    this.#playedMs = base.playedMs + endMs;
    this.#bytes += size;
    const { playedMs } = this;
    this.#options.listed({ lastNumber: number, playedMs, bytesWritten: this.#bytes });
    await this.#removeOld();
  }

  #withSegment({ number, startMs, endMs }: BenchSegment): SegmentWindow {
    const { network, clock } = this.#options;
    const seconds = (endMs - startMs) / 1000;
    const last = this.#window.segments.at(-1);
    const follows = last !== undefined && !this.#isFirstOfRun;
    const atMs = follows ? last.atMs + last.seconds * 1000 : clock.nowMs() - seconds * 1000;
    const isDiscontinuous = this.#isDiscontinuous;
    const most = network.isDvr ? 0 : network.programme.listSize;
    return withSegment(this.#window, { number, seconds, atMs, isDiscontinuous }, most);
  }

  #drop({ segments }: SegmentWindow): void {
    const first = segments[0]?.number ?? 0;
    const dueMs = this.#options.clock.monotonicMs() + KEPT_AFTER_MS;
    for (const { number } of this.#window.segments) {
      if (number < first) this.#dropped.push({ number, dueMs });
    }
  }

  async #removeOld(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    while ((this.#dropped[0]?.dueMs ?? Infinity) <= nowMs) {
      await this.#options.folder.removeSegment(this.#dropped.shift()?.number ?? 0);
    }
  }
}

const NEVER = new AbortController().signal;
