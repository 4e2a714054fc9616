import type { MediaInspection, MediaProbe } from '#delivery';
import type { Logger } from '#kernel/logger';
import type { MediaFacts } from '#streams';
import { FedProgram } from './fed-program.ts';
import { mediaFactsOf } from './media-facts.ts';

/** Of all streams together; each holds up to 4 MiB. */
const MOST_AT_ONCE = 2;

export type MediaProbeOptions = { readonly program: string; readonly logger: Logger };

/** What comes in is a stranger's: it is read as MPEG-TS, and can lead to no file and no address. */
const ARGS =
  '-v error -protocol_whitelist pipe -f mpegts -show_entries format=format_name:stream=codec_type,codec_name,width,height,avg_frame_rate,r_frame_rate,channels,channel_layout -of json -i pipe:0'.split(
    ' ',
  );

/** Looks with ffprobe. Where there is none, it says so once in the log and finds nothing. */
export class FfprobeMediaProbe implements MediaProbe {
  readonly #program: FedProgram;
  #open = 0;

  constructor({ program, logger }: MediaProbeOptions) {
    const absent = (): void => logger.warn('media is not looked at: ffprobe cannot be run');
    this.#program = new FedProgram({ program, absent });
  }

  open(): MediaInspection | undefined {
    if (this.#open >= MOST_AT_ONCE) return undefined;
    this.#open += 1;
    let isOpen = true;
    return {
      inspect: (sample, signal) => this.#inspect(sample, signal),
      close: () => {
        if (isOpen) this.#open -= 1;
        isOpen = false;
      },
    };
  }

  async #inspect(sample: Buffer, signal: AbortSignal): Promise<MediaFacts | undefined> {
    const outcome = await this.#program.run(ARGS, sample, signal);
    return typeof outcome === 'string' ? undefined : mediaFactsOf(outcome.output);
  }
}
