import type { IncomingMessage } from 'node:http';
import type { ClientRequest } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '#kernel/logger';
import { RunLedger, UsageWatch, diagnose, ffmpegArgs } from '#transcode';
import type {
  Amounts,
  Hardware,
  Progress,
  RunEnds,
  RunExit,
  RunFailure,
  RunId,
  RunJob,
  RunLines,
  RunReport,
  TakenPlace,
  Usage,
  UsageLimits,
} from '#transcode';

/** One FFmpeg under way. */
export interface RunningFfmpeg {
  readonly input: Writable;
  readonly output: Readable;
  readonly lines: Pick<RunLines, 'all'>;
  readonly progress: () => Progress | null;
  readonly usage: () => Promise<Usage | undefined>;
  readonly media: () => RunEnds;
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
  /** What to encode with, best first, as it is known now; and how much of it there is. */
  readonly hardware: () => readonly Hardware[];
  readonly capacity: () => Amounts;
  /** Of each run. */
  readonly limits: UsageLimits;
  readonly logger: Logger;
  /** What is taken has changed. */
  readonly changed: () => void;
};

const REPORT_EVERY_MS = 1_000;

/** Works off runs: one FFmpeg each, from its media's first byte until either end is closed. */
export class TranscodeWork {
  readonly #options: TranscodeWorkerOptions;
  readonly #ledger: RunLedger;

  constructor(options: TranscodeWorkerOptions) {
    this.#options = options;
    this.#ledger = new RunLedger(options);
  }

  /** What runs have taken of this worker. */
  get taken(): Amounts {
    return this.#ledger.taken;
  }

  /** The runs that have taken it. */
  get runs(): readonly RunId[] {
    return this.#ledger.runs;
  }

  /** Until the run is over; `declined` when there is no place for it now. Never rejects. */
  async run(job: RunJob, draining: AbortSignal): Promise<'over' | 'declined'> {
    const place = this.#ledger.take(job);
    if ('full' in place) return 'declined';
    try {
      await this.#run(job, place, draining);
    } catch (error) {
      this.#options.logger.warn('run impossible', { runId: job.runId, error });
    } finally {
      place.release();
    }
    return 'over';
  }

  async #run(job: RunJob, place: TakenPlace, draining: AbortSignal): Promise<void> {
    const wire = this.#options.link(job);
    const input = await wire.openInput(draining);
    if (input === undefined) return; // Whoever asked wants it no more.
    const ffmpeg = this.#options.start(ffmpegArgs(job.plan, place.hardware, job));
    const output = wire.openOutput();
    const { limits } = this.#options;
    const life = new RunLife({ place, wire, ffmpeg, limits });
    const drain = (): void => life.end('drained');
    const unwanted = (): void => life.end();
    draining.addEventListener('abort', drain, { once: true });
    output.once('close', unwanted);
    output.once('response', unwanted); // It is answered only when it is not wanted.
    output.on('error', unwanted);
    try {
      await move({ input, ffmpeg, output });
      if (await life.over()) await endOf(output);
    } finally {
      draining.removeEventListener('abort', drain);
      input.destroy();
      output.destroy();
      await ffmpeg.stop();
    }
  }
}

type LifeOptions = {
  readonly place: TakenPlace;
  readonly wire: RunWire;
  readonly ffmpeg: RunningFfmpeg;
  readonly limits: UsageLimits;
};

/** What becomes of one FFmpeg, and what there is to tell of it. */
class RunLife {
  readonly #options: LifeOptions;
  readonly #watch: UsageWatch;
  readonly #telling: NodeJS.Timeout;
  #isOver = false;
  /** Why we have ended it. */
  #reason: RunFailure | undefined;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#watch = new UsageWatch(options.limits);
    this.#telling = setInterval(() => void this.#look(), REPORT_EVERY_MS);
  }

  /** Ends it; the first reason counts. */
  end(reason?: RunFailure): void {
    this.#reason ??= reason;
    void this.#options.ffmpeg.stop();
  }

  /**
   * Resolves when it has ended and the other side has been told.
   * @returns whether all that it wrote is wanted.
   */
  async over(): Promise<boolean> {
    const { ffmpeg } = this.#options;
    const exit = await ffmpeg.exited;
    clearInterval(this.#telling);
    this.#isOver = true;
    const failure = this.#reason ?? (exit.exitCode === 0 ? null : diagnose(exit, ffmpeg.lines.all));
    await this.#tell({ exit, failure });
    return failure === null || failure === 'drained';
  }

  async #look(): Promise<void> {
    const usage = await this.#options.ffmpeg.usage();
    const excess = usage && this.#watch.see(usage, performance.now());
    if (this.#isOver) return;
    if (excess !== undefined) this.end(excess);
    await this.#tell(null);
  }

  #tell(ended: RunReport['ended']): Promise<void> {
    const { place, wire, ffmpeg } = this.#options;
    return wire.report({
      hardware: place.hardware.kind,
      fallback: place.fallback,
      usage: this.#watch.now,
      progress: ffmpeg.progress(),
      lines: ffmpeg.lines.all,
      media: ffmpeg.media(),
      ended,
    });
  }
}

type Moved = {
  readonly input: IncomingMessage;
  readonly ffmpeg: RunningFfmpeg;
  readonly output: ClientRequest;
};

/** Resolves when FFmpeg has ended and all that it wrote is on its way. */
async function move({ input, ffmpeg, output }: Moved): Promise<void> {
  // Where the media breaks off, FFmpeg ends by itself; where FFmpeg ends, its exit tells.
  void pipeline(input, ffmpeg.input).catch(() => ffmpeg.input.destroy());
  await pipeline(ffmpeg.output, output, { end: false }).catch(() => ffmpeg.stop());
}

const LAST_BYTES_MS = 2_000;

/** Resolves when all has been handed over that was written, or nobody takes it. */
function endOf(output: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LAST_BYTES_MS);
    const done = (): void => {
      clearTimeout(late);
      resolve();
    };
    output.once('close', done);
    output.end(done);
  });
}
