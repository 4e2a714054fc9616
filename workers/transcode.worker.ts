import type { IncomingMessage } from 'node:http';
import type { ClientRequest } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '#kernel/logger';
import { SOFTWARE, diagnose, ffmpegArgs } from '#transcode';
import type { Hardware, Progress, RunExit, RunJob, RunLines, RunReport } from '#transcode';

/** One FFmpeg under way. */
export interface RunningFfmpeg {
  readonly input: Writable;
  readonly output: Readable;
  readonly lines: Pick<RunLines, 'all'>;
  readonly progress: () => Progress | null;
  readonly exited: Promise<RunExit>;
  stop(): Promise<RunExit>;
}

/** The way to the process that asked. */
export interface RunWire {
  openInput(signal: AbortSignal): Promise<IncomingMessage | undefined>;
  openOutput(): ClientRequest;
  report(report: RunReport): Promise<void>;
}

export type TranscodeWorkerOptions = {
  readonly start: (args: readonly string[]) => RunningFfmpeg;
  readonly link: (job: RunJob) => RunWire;
  /** What to encode with, best first, as it is known now. */
  readonly hardware: () => readonly Hardware[];
  readonly logger: Logger;
  /** The number of runs has changed. */
  readonly changed: (busy: number) => void;
};

const REPORT_EVERY_MS = 1_000;

/** Works off runs: one FFmpeg each, from its media's first byte until either end is closed. */
export class TranscodeWork {
  readonly #options: TranscodeWorkerOptions;
  #busy = 0;

  constructor(options: TranscodeWorkerOptions) {
    this.#options = options;
  }

  get busy(): number {
    return this.#busy;
  }

  /** Until the run is over; never rejects. */
  async run(job: RunJob, draining: AbortSignal): Promise<void> {
    this.#occupy(1);
    try {
      await this.#run(job, draining);
    } catch (error) {
      this.#options.logger.warn('run impossible', { runId: job.runId, error });
    } finally {
      this.#occupy(-1);
    }
  }

  async #run(job: RunJob, draining: AbortSignal): Promise<void> {
    const wire = this.#options.link(job);
    const input = await wire.openInput(draining);
    if (input === undefined) return; // Whoever asked wants it no more.
    const hardware = this.#hardwareFor(job);
    const ffmpeg = this.#options.start(ffmpegArgs(job.plan, hardware, job));
    const output = wire.openOutput();
    const stopWhen = new AbortController();
    const stop = (): void => stopWhen.abort();
    draining.addEventListener('abort', stop, { once: true });
    output.once('close', stop);
    output.once('response', stop); // It is answered only when it is not wanted.
    output.on('error', stop);
    stopWhen.signal.addEventListener('abort', () => void ffmpeg.stop(), { once: true });
    const tell = (ended: RunReport['ended']): Promise<void> =>
      wire.report({
        hardware: hardware.kind,
        progress: ffmpeg.progress(),
        lines: ffmpeg.lines.all,
        ended,
      });
    const telling = setInterval(() => void tell(null), REPORT_EVERY_MS);
    try {
      await this.#move({ input, ffmpeg, output });
      const exit = await ffmpeg.exited;
      const failure = exit.exitCode === 0 ? null : diagnose(exit, ffmpeg.lines.all);
      await tell({ exit, failure });
      if (failure === null) output.end();
    } finally {
      clearInterval(telling);
      draining.removeEventListener('abort', stop);
      input.destroy();
      output.destroy();
      await ffmpeg.stop();
    }
  }

  /** Resolves when FFmpeg has ended and all that it wrote is on its way. */
  async #move({ input, ffmpeg, output }: Moved): Promise<void> {
    // Where the media breaks off, FFmpeg ends by itself; where FFmpeg ends, its exit tells.
    void pipeline(input, ffmpeg.input).catch(() => ffmpeg.input.destroy());
    await pipeline(ffmpeg.output, output, { end: false }).catch(() => ffmpeg.stop());
  }

  #hardwareFor({ softwareOnly }: RunJob): Hardware {
    return softwareOnly ? SOFTWARE : (this.#options.hardware()[0] ?? SOFTWARE);
  }

  #occupy(change: number): void {
    this.#busy += change;
    this.#options.changed(this.#busy);
  }
}

type Moved = {
  readonly input: IncomingMessage;
  readonly ffmpeg: RunningFfmpeg;
  readonly output: ClientRequest;
};
