import type { Codec } from './codec.ts';
import type { OutputLedger } from './output-ledger.ts';
import type { Program } from './program.ts';

/** One audio track as decoders are set up for it. */
export type AudioLook = { readonly codec: Codec; readonly samplesPerSecond: number };

/** What viewers' decoders are set up for. Tracks in the order of their kind. */
export type Look = {
  /** Undefined: sound alone. */
  readonly video: Codec | undefined;
  readonly audio: readonly AudioLook[];
};

/** Undefined while an audio track has not been heard, or where there are several of video. */
export function lookOf({ tracks }: Program, ledger: OutputLedger): Look | undefined {
  const [video, ...more] = tracks.filter(({ kind }) => kind === 'video');
  const audio = tracks
    .filter(({ kind }) => kind === 'audio')
    .map(({ pid, codec }) => ({
      codec,
      samplesPerSecond: ledger.track(pid)?.samplesPerSecond ?? 0,
    }));
  const isKnown = more.length === 0 && audio.every(({ samplesPerSecond }) => samplesPerSecond > 0);
  return isKnown ? { video: video?.codec, audio } : undefined;
}
