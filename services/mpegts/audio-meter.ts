import { AUDIO_HEADER_BYTES, audioFrameAt, samples90k } from './audio-frames.ts';
import type { Codec } from './codec.ts';

/** Measures how long the audio of a PES packet sounds, by its frames, as its bytes pass. */
export class AudioMeter {
  readonly #codec: Codec;
  readonly #header = Buffer.alloc(AUDIO_HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes up to the next frame. */
  #ahead = 0;
  #samples = 0;
  #samplesPerSecond = 0;
  #isLost = false;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** In 90 kHz ticks; undefined where frames and PES packets do not end together. */
  get duration90k(): number | undefined {
    const isWhole = !this.#isLost && this.#ahead === 0 && this.#headerBytes === 0;
    if (!isWhole || this.#samples === 0) return undefined;
    return samples90k(this.#samples, this.#samplesPerSecond);
  }

  /** Of the latest frame; undefined before the first. */
  get samplesPerSecond(): number | undefined {
    return this.#samplesPerSecond === 0 ? undefined : this.#samplesPerSecond;
  }

  /** A PES packet begins. */
  begin(): void {
    this.#headerBytes = 0;
    this.#ahead = 0;
    this.#samples = 0;
    this.#isLost = false;
  }

  feed(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to && !this.#isLost) {
      const skipped = Math.min(this.#ahead, to - at);
      this.#ahead -= skipped;
      at += skipped;
      if (at < to) at += this.#takeHeader(bytes, at, to);
    }
  }

  #takeHeader(bytes: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + AUDIO_HEADER_BYTES - this.#headerBytes);
    this.#headerBytes += bytes.copy(this.#header, this.#headerBytes, from, end);
    if (this.#headerBytes === AUDIO_HEADER_BYTES) this.#readHeader();
    return end - from;
  }

  #readHeader(): void {
    const frame = audioFrameAt(this.#codec, this.#header, 0);
    this.#headerBytes = 0;
    this.#isLost = frame === undefined;
    if (frame === undefined) return;
    this.#ahead = frame.sizeBytes - AUDIO_HEADER_BYTES;
    this.#samples += frame.samples;
    this.#samplesPerSecond = frame.samplesPerSecond;
  }
}
