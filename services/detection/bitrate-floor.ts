import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';

const HELD_SHARE = 0.05;

/** Fewer bytes a second than the operator asks for, several intervals in a row. */
export class BitrateFloor implements Detector {
  readonly #settings: DetectionSettings['bitrateFloor'];
  #from: Pick<Sample, 'readMs' | 'bytes' | 'pausedMs'> | undefined;
  #lowIntervals = 0;

  constructor(settings: DetectionSettings['bitrateFloor']) {
    this.#settings = settings;
  }

  see(sample: Sample): Finding | undefined {
    const { graceMs, intervalMs } = this.#settings;
    if (sample.readMs < graceMs) return undefined;
    const from = (this.#from ??= sample);
    const spanMs = sample.readMs - from.readMs;
    if (spanMs < intervalMs) return undefined;
    this.#from = sample;
    // While a viewer holds the source up, its rate is not its own.
    if (sample.pausedMs - from.pausedMs > HELD_SHARE * spanMs) return undefined;
    return this.#judge(((sample.bytes - from.bytes) / spanMs) * 1000);
  }

  #judge(bytesPerSecond: number): Finding | undefined {
    const isLow = bytesPerSecond < this.#settings.bytesPerSecond;
    this.#lowIntervals = isLow ? this.#lowIntervals + 1 : 0;
    if (this.#lowIntervals < this.#settings.threshold) return undefined;
    return {
      code: 'UPSTREAM_BITRATE_LOW',
      message: 'The source sends fewer bytes a second than it has to.',
      details: { bytesPerSecond: Math.round(bytesPerSecond) },
    };
  }
}
