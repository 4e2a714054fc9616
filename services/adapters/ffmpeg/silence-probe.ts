import type { Logger } from '#kernel/logger';
import type { SilenceProbe, SilenceSettings, SoundVerdict } from '#detection';
import { FedProgram } from './fed-program.ts';

/** Of all streams together: listening must not take the machine from those who deliver. */
const MOST_AT_ONCE = 2;

export type SilenceProbeOptions = { readonly program: string; readonly logger: Logger };

/**
 * Listens with FFmpeg's `silencedetect`; the sample goes in through a pipe, nothing is written.
 * Where there is no FFmpeg, it says so once in the log and finds no silence.
 */
export class FfmpegSilenceProbe implements SilenceProbe {
  readonly #program: FedProgram;
  #running = 0;

  constructor({ program, logger }: SilenceProbeOptions) {
    const absent = (): void => logger.warn('silence detection is off: ffmpeg cannot be run');
    this.#program = new FedProgram({ program, absent });
  }

  async listen(sample: Buffer, settings: Threshold, signal: AbortSignal): Promise<SoundVerdict> {
    if (this.#running >= MOST_AT_ONCE) return 'busy';
    this.#running += 1;
    try {
      const outcome = await this.#program.run(argsOf(settings), sample, signal);
      return typeof outcome === 'string' ? 'unknown' : verdictOf(outcome.log);
    } finally {
      this.#running -= 1;
    }
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
