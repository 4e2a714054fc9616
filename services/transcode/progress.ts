/** How far a run has come, as FFmpeg tells it twice a second. */
export type Progress = {
  readonly frame: number | null;
  readonly fps: number | null;
  /** Of all that was written. */
  readonly bitrateKbps: number | null;
  /** 1 is real time. */
  readonly speed: number | null;
  readonly outTimeMs: number | null;
};

/** Puts the lines of `-progress` together; a block ends with its `progress=` line. */
export class ProgressReader {
  #fields = new Map<string, string>();

  /** @returns the block that this line completes. */
  take(line: string): Progress | undefined {
    const at = line.indexOf('=');
    if (at <= 0) return undefined;
    const name = line.slice(0, at).trim();
    if (name !== 'progress') {
      if (this.#fields.size < MOST_FIELDS) this.#fields.set(name, line.slice(at + 1).trim());
      return undefined;
    }
    const progress = this.#progress();
    this.#fields = new Map();
    return progress;
  }

  #progress(): Progress {
    const us = this.#number('out_time_us') ?? this.#number('out_time_ms');
    return {
      frame: this.#number('frame'),
      fps: this.#number('fps'),
      bitrateKbps: this.#number('bitrate'),
      speed: this.#number('speed'),
      outTimeMs: us === null ? null : Math.round(us / 1000),
    };
  }

  /** `1234.5kbits/s` and `1.02x` begin with the number; `N/A` has none. */
  #number(name: string): number | null {
    const value = Number.parseFloat(this.#fields.get(name) ?? '');
    return Number.isFinite(value) ? value : null;
  }
}

const MOST_FIELDS = 64;
