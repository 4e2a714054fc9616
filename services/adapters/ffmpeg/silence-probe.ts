import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';
import type { Logger } from '#kernel/logger';
import type { SilenceProbe, SilenceSettings, SoundVerdict } from '#detection';

const DEADLINE_MS = 15_000;
/** Of all streams together: listening must not take the machine from those who deliver. */
const MOST_AT_ONCE = 2;
const MOST_OUTPUT_BYTES = 256 * 1024;

export type SilenceProbeOptions = { readonly program: string; readonly logger: Logger };

/**
 * Listens with FFmpeg's `silencedetect`; the sample goes in through a pipe, nothing is written.
 * Where there is no FFmpeg, it says so once in the log and finds no silence.
 */
export class FfmpegSilenceProbe implements SilenceProbe {
  readonly #options: SilenceProbeOptions;
  #running = 0;
  #isAbsent = false;

  constructor(options: SilenceProbeOptions) {
    this.#options = options;
  }

  async listen(sample: Buffer, settings: Threshold, signal: AbortSignal): Promise<SoundVerdict> {
    if (this.#isAbsent) return 'unknown';
    if (this.#running >= MOST_AT_ONCE) return 'busy';
    this.#running += 1;
    try {
      return await this.#run(sample, argsOf(settings), signal);
    } finally {
      this.#running -= 1;
    }
  }

  #run(sample: Buffer, args: readonly string[], signal: AbortSignal): Promise<SoundVerdict> {
    const options = {
      signal,
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT_BYTES,
    } as const;
    return new Promise((resolve) => {
      const done = (error: ExecFileException | null, _output: string, log: string): void => {
        if (error?.code === 'ENOENT' || error?.code === 'EACCES') this.#noteAbsence();
        resolve(error === null ? verdictOf(log) : 'unknown');
      };
      const child = execFile(this.#options.program, args, options, done);
      // FFmpeg may close its input before it has read all of it.
      child.stdin?.on('error', () => {});
      child.stdin?.end(sample);
    });
  }

  #noteAbsence(): void {
    if (this.#isAbsent) return;
    this.#isAbsent = true;
    this.#options.logger.warn('silence detection is off: ffmpeg cannot be run');
  }
}

type Threshold = Pick<SilenceSettings, 'thresholdDb' | 'durationMs'>;

const INPUT = ['-hide_banner', '-nostats', '-f', 'mpegts', '-i', 'pipe:0', '-vn'];
const OUTPUT = ['-f', 'null', '-'];

/** As m3u-proxy listens, so that its thresholds mean the same. */
const argsOf = ({ thresholdDb, durationMs }: Threshold): readonly string[] => [
  ...INPUT,
  '-af',
  `silencedetect=noise=${thresholdDb}dB:d=${durationMs / 1000}`,
  ...OUTPUT,
];

const verdictOf = (log: string): SoundVerdict =>
  log.includes('silence_start') ? 'silent' : 'sound';
