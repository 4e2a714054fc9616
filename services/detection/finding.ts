import type { ErrorDetails } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';

/** The part of what is known of a transport stream that detectors look at; counts never fall. */
export type SourceFacts = {
  readonly packets: number;
  readonly counterErrors: number;
  readonly transportErrors: number;
  /** The program clock, 27 MHz; undefined where there is none. */
  readonly pcr27m: number | undefined;
  /** How often the program clock went back, and how far the last time, 27 MHz. */
  readonly pcrStepsBack: number;
  readonly lastStepBack27m: number;
  /** Places where a decoder can begin; absent where nobody counts them. */
  readonly keyframes?: number;
  readonly program: { readonly pmtPid: number } | undefined;
  readonly tracks: readonly TrackCounts[];
};

export type TrackCounts = {
  readonly pid: number;
  readonly kind: string;
  readonly packets: number;
  readonly scrambledPackets: number;
};

/** One look at a source that is being read; all numbers count from its first byte on. */
export type Sample = {
  /** For how long it was read: while we pause it, this stands. */
  readonly readMs: number;
  readonly bytes: number;
  /** Bytes that were in no packet. */
  readonly lostBytes: number;
  /** For how long we have paused it: what it sends then is not for it to decide. */
  readonly pausedMs: number;
  /** The longest time between two chunks of late. */
  readonly peakGapMs: number;
  /** All zero for what is no transport stream. */
  readonly facts: SourceFacts;
};

export type FindingCode = Extract<
  ErrorCode,
  | 'UPSTREAM_PCR_STOPPED'
  | 'UPSTREAM_BITRATE_LOW'
  | 'UPSTREAM_ERRORS'
  | 'UPSTREAM_TRACK_MISSING'
  | 'UPSTREAM_SCRAMBLED'
  | 'UPSTREAM_WRONG_TYPE'
  | 'UPSTREAM_LOOPING'
  | 'UPSTREAM_SILENT'
>;

/** What is wrong with a source. */
export type Finding = {
  readonly code: FindingCode;
  readonly message: string;
  readonly details: ErrorDetails;
};

/** Looks for one thing that can be wrong; gets every sample of one source in order. */
export interface Detector {
  see(sample: Sample): Finding | undefined;
}
