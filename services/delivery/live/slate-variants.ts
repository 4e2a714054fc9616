import type { Clip, Look } from '#mpegts';

/** Of 300 KiB each. Streams differ in few ways; where they do in more, the plain one is shown. */
const MAX_VARIANTS = 24;

/** What most channels are like. */
const PLAIN: Look = { video: 'h264', audio: [{ codec: 'aac', samplesPerSecond: 48_000 }] };

/** Makes the slate that needs no operator. */
export interface SlateMaker {
  /**
   * MPEG-TS with these tracks; `undefined` when it cannot be made: codecs that nobody writes, or
   * something went wrong, which it has logged. Never rejects.
   */
  make(look: Look, signal: AbortSignal): Promise<Buffer | undefined>;
}

export type SlateVariantsOptions = {
  readonly maker: SlateMaker;
  /** Checks what was made, and tells of it. */
  readonly read: (name: string, bytes: Buffer) => Clip | undefined;
};

/**
 * The built-in slate in the codecs and sampling rates of the streams that may need it: decoders go
 * on with it as they were. Each is made once, one at a time, when such a stream is first seen.
 */
export class SlateVariants {
  readonly #options: SlateVariantsOptions;
  /** By what it is like; undefined while it is being made, and where it cannot be. */
  readonly #clips = new Map<string, Clip | undefined>();
  #signal: AbortSignal | undefined;
  #lastMade: Promise<void> = Promise.resolve();

  constructor(options: SlateVariantsOptions) {
    this.#options = options;
  }

  /** Makes the plain one. Nothing is made before, or after the signal. Never rejects. */
  load(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.prepare(PLAIN);
    return this.#lastMade;
  }

  /** The one that is like this, else the plain one. */
  find(look: Look = PLAIN): Clip | undefined {
    return this.#clips.get(keyOf(look)) ?? this.#clips.get(keyOf(PLAIN));
  }

  /** Makes what is like this, unless there is one. Does not wait. */
  prepare(look: Look): void {
    const key = keyOf(look);
    const signal = this.#signal;
    const isFull = this.#clips.size >= MAX_VARIANTS;
    if (signal === undefined || isFull || this.#clips.has(key)) return;
    this.#clips.set(key, undefined);
    this.#lastMade = this.#lastMade.then(() => this.#make(look, signal));
  }

  async #make(look: Look, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const bytes = await this.#options.maker.make(look, signal);
    const name = look === PLAIN ? 'built-in' : `built-in, ${keyOf(look)}`;
    if (bytes !== undefined) this.#clips.set(keyOf(look), this.#options.read(name, bytes));
  }
}

/** Such as `h264, aac 48000`. */
const keyOf = ({ video, audio }: Look): string =>
  [
    video ?? 'no pictures',
    ...audio.map(({ codec, samplesPerSecond }) => `${codec} ${samplesPerSecond}`),
  ].join(', ');
