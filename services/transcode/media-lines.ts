/** What media consists of, as FFmpeg says; what it does not say is absent. */
export type RunMedia = {
  /** In capitals, as `MPEGTS`. */
  readonly container: string;
  readonly videoCodec?: string;
  /** `1280x720`. */
  readonly resolution?: string;
  readonly fps?: number;
  readonly audioCodec?: string;
  /** `stereo`, `5.1`. */
  readonly audioChannels?: string;
};

/** Both ends of a run; `null` until FFmpeg has told. */
export type RunEnds = { readonly input: RunMedia | null; readonly output: RunMedia | null };

const HEADLINE = /^\s*(Input|Output) #0, ([\w-]+)/;
const TRACK = /^\s*Stream #0:\d+.*?: (Video|Audio): (\w+)(.*)$/;
const LEVEL = /^(?:\[[^\]]*\] )*\[info\] /;

/** Reads what FFmpeg writes about its input and output before it begins: the first track of each kind. */
export class MediaLines {
  #ends: RunEnds = { input: null, output: null };
  #end: keyof RunEnds | undefined;

  get ends(): RunEnds {
    return this.#ends;
  }

  take(line: string): void {
    const text = line.replace(LEVEL, '');
    if (text.length === line.length) return;
    const [, end, container = ''] = HEADLINE.exec(text) ?? [];
    if (end !== undefined) {
      this.#end = end === 'Input' ? 'input' : 'output';
      this.#learn({ container: container.toUpperCase() });
    } else if (text.startsWith('Stream mapping')) this.#end = undefined;
    else this.#track(text);
  }

  #track(text: string): void {
    const [, kind, codec = '', rest = ''] = TRACK.exec(text) ?? [];
    if (kind === 'Video') this.#learn(videoOf(codec, rest));
    if (kind === 'Audio') this.#learn(audioOf(codec, rest));
  }

  /** What is known already stays: the first track counts. */
  #learn(facts: Partial<RunMedia>): void {
    const end = this.#end;
    if (end === undefined) return;
    this.#ends = { ...this.#ends, [end]: { ...facts, ...this.#ends[end] } };
  }
}

function videoOf(codec: string, rest: string): Partial<RunMedia> {
  const size = /, (\d{2,5}x\d{2,5})\b/.exec(rest)?.[1];
  const fps = Number(/, (\d+(?:\.\d+)?) fps\b/.exec(rest)?.[1]);
  return {
    videoCodec: codec,
    ...(size === undefined ? {} : { resolution: size }),
    ...(fps > 0 ? { fps } : {}),
  };
}

function audioOf(codec: string, rest: string): Partial<RunMedia> {
  const channels = /\d+ Hz, ([\w.]+)/.exec(rest)?.[1];
  return { audioCodec: codec, ...(channels === undefined ? {} : { audioChannels: channels }) };
}
