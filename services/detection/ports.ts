import type { SilenceSettings } from './detection-settings.ts';

/**
 * What a sample sounds like. `busy`: it was not looked at, as too many others are. `unknown`: it
 * has no sound, or none that can be decoded.
 */
export type SoundVerdict = 'silent' | 'sound' | 'unknown' | 'busy';

/** Listens to samples of sound. */
export interface SilenceProbe {
  /**
   * Never rejects, and takes a bounded time.
   *
   * @param sample - Packets of a transport stream with its tables and sound, at most 5 MiB.
   * @param signal - Ends it at once; what it resolves with then means nothing.
   */
  listen(
    sample: Buffer,
    settings: Pick<SilenceSettings, 'thresholdDb' | 'durationMs'>,
    signal: AbortSignal,
  ): Promise<SoundVerdict>;
}
