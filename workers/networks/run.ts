import { createInterface } from 'node:readline';
import { SUBTITLE_FD, SUBTITLE_SCRIPT_FD, CueReader, finishedSegment } from '#networks';
import type { MediaSource, NetworkFolder, RunEnding } from '#networks';
import type { Timer, Timers } from '#kernel/clock';
import { diagnose } from '#transcode';
import type { NetworkFfmpeg, StartFfmpeg } from './ports.ts';

/** A segment that FFmpeg has finished, where it lies. */
export type BenchSegment = {
  readonly bench: string;
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
};

export type NetworkRunOptions = {
  readonly args: readonly string[];
  readonly folder: NetworkFolder;
  readonly source: MediaSource;
  readonly subtitleFile: MediaSource | undefined;
  readonly hasSubtitles: boolean;
  readonly start: StartFfmpeg;
  readonly graceMs: number;
  readonly stallMs: number;
  readonly timers: Timers;
  readonly started: (pid: number) => void;
  /** Media comes, or FFmpeg has lived for the time of grace. */
  readonly begun: (pid: number) => void;
  /** One after the other. */
  readonly finished: (segment: BenchSegment, cues: CueReader) => Promise<void>;
};

export type RunOutcome = RunEnding & {
  readonly lines: readonly string[];
  readonly isOfDevice: boolean;
  /** In words that may be shown. */
  readonly reason: string;
};

const LOOK_MS = 100;
/** Descriptors that every FFmpeg of ours has; more are counted from there. */
const FIRST_MORE_FD = 5;

/** One life of FFmpeg for a network, from its start until all that it has written is listed. */
export class NetworkRun {
  readonly #options: NetworkRunOptions;
  readonly #bench: string;
  readonly #ffmpeg: NetworkFfmpeg;
  readonly #cues = new CueReader();
  readonly #listed: Promise<void>;
  #hasBegun = false;
  #isStalled = false;
  #waitedMs = 0;
  #aliveMs = 0;
  #looking: Timer | undefined;

  static async start(options: NetworkRunOptions): Promise<NetworkRun> {
    return new NetworkRun(options, await options.folder.openBench());
  }

  private constructor(options: NetworkRunOptions, bench: string) {
    this.#options = options;
    this.#bench = bench;
    const { args, hasSubtitles, subtitleFile } = options;
    const last = subtitleFile ? SUBTITLE_SCRIPT_FD : SUBTITLE_FD;
    const morePipes = hasSubtitles ? last - FIRST_MORE_FD + 1 : 0;
    this.#ffmpeg = options.start({ args, folder: bench, morePipes });
    const { pid = 0 } = this.#ffmpeg;
    if (pid > 0) options.started(pid);
    this.#feed();
    this.#listed = this.#list();
    this.#look();
  }

  /** When FFmpeg has ended. Never rejects but with what `finished` throws. */
  async ended(): Promise<RunOutcome> {
    try {
      await this.#listed;
    } finally {
      await this.#ffmpeg.stop();
      this.#looking?.cancel();
      this.#options.source.close();
      this.#options.subtitleFile?.close();
    }
    return this.#outcome();
  }

  /** Lets FFmpeg finish its segment; what it has finished is still listed. */
  stop(): void {
    void this.#ffmpeg.stop();
    this.#options.source.close();
  }

  #feed(): void {
    const { source, subtitleFile } = this.#options;
    const { input, morePipes } = this.#ffmpeg;
    void source.feed(input);
    const [subtitles, script] = morePipes;
    if (subtitleFile !== undefined && script !== undefined) void subtitleFile.feed(script);
    subtitles?.setEncoding('utf8').on('data', (text: string) => this.#cues.take(text));
  }

  async #list(): Promise<void> {
    const lines = createInterface({ input: this.#ffmpeg.output, crlfDelay: Infinity });
    for await (const line of lines) {
      const finished = finishedSegment(line);
      // One without length is what FFmpeg has made of nothing.
      if (finished === undefined || finished.endMs <= finished.startMs) continue;
      this.#waitedMs = 0;
      this.#begin();
      const { startMs, endMs, number } = finished;
      await this.#options.finished({ bench: this.#bench, number, startMs, endMs }, this.#cues);
    }
    await this.#ffmpeg.exited;
  }

  #look(): void {
    const { timers, graceMs, stallMs } = this.#options;
    this.#looking = timers.after(LOOK_MS, () => {
      this.#waitedMs += LOOK_MS;
      this.#aliveMs += LOOK_MS;
      if (this.#aliveMs >= graceMs || (this.#ffmpeg.progress()?.outTimeMs ?? 0) > 0) this.#begin();
      if (this.#waitedMs >= stallMs) {
        this.#isStalled = true;
        this.stop();
      } else this.#look();
    });
  }

  #begin(): void {
    if (this.#hasBegun || this.#ffmpeg.pid === undefined) return;
    this.#hasBegun = true;
    this.#options.begun(this.#ffmpeg.pid);
  }

  async #outcome(): Promise<RunOutcome> {
    const exit = await this.#ffmpeg.exited;
    const lines = this.#ffmpeg.lines.all;
    const failure = this.#options.source.failure;
    const diagnosis = diagnose(exit, lines);
    return {
      exitCode: exit.exitCode,
      sourceFailed: failure !== undefined,
      isStalled: this.#isStalled,
      isCrash: exit.signal !== null || diagnosis === 'crashed' || diagnosis === 'killed',
      hasBegun: this.#hasBegun,
      lines,
      isOfDevice: diagnosis === 'hardware',
      reason: this.#isStalled
        ? 'no segment came in time'
        : (failure?.message ?? reasonOf(exit, diagnosis, lines)),
    };
  }
}

const TELLING = /\[(?:error|fatal|panic)\] (.*)$/;

/** The last complaint of FFmpeg, which has no address in it. */
function reasonOf(
  { exitCode, signal }: { readonly exitCode: number | null; readonly signal: string | null },
  diagnosis: string,
  lines: readonly string[],
): string {
  const complaint = lines.map((line) => TELLING.exec(line)?.[1]).findLast(Boolean);
  const how = signal === null ? `exit code ${String(exitCode)}` : `signal ${signal}`;
  return `FFmpeg ended with ${how} (${diagnosis})${complaint ? `: ${complaint}` : ''}`;
}
