import type { StreamId } from '#kernel/ids';
import type { RunExit, RunFailure } from './diagnosis.ts';
import type { Hardware, HardwareKind } from './hardware.ts';
import type { RunId } from './ids.ts';
import type { RunEnds } from './media-lines.ts';
import type { TranscodePlan } from './plan.ts';
import type { UserProfile } from './profiles.ts';
import type { Progress } from './progress.ts';
import type { Amounts, HardwareFallback } from './resources.ts';
import type { UsageNow } from './usage-watch.ts';

/** What a worker is asked to do: ids and intent, no secret. */
export type RunJob = {
  readonly v: 1;
  readonly runId: RunId;
  /** Where the api process that asked is reached: `http://host:port`. */
  readonly apiUrl: string;
  readonly plan: TranscodePlan;
  /** The input is a file, which comes faster than it plays. */
  readonly isPaced: boolean;
  /** Hardware has failed for this stream. */
  readonly softwareOnly: boolean;
};

/** Hands runs to workers. */
export interface RunQueue {
  /**
   * Resolves when the job is queued.
   * @throws DependencyError `QUEUE_UNAVAILABLE`
   */
  ask(job: RunJob): Promise<void>;
  /** Takes back a job that no worker has begun. Never throws. */
  cancel(runId: RunId): Promise<void>;
}

/** What a worker tells of a run while it lasts, and last of all when it is over. */
export type RunReport = {
  readonly hardware: HardwareKind;
  /** Software encodes in place of a device. */
  readonly fallback: HardwareFallback | null;
  readonly usage: UsageNow | null;
  readonly progress: Progress | null;
  /** First and last lines of FFmpeg, fit to be shown. */
  readonly lines: readonly string[];
  /** What goes in and what comes out. */
  readonly media?: RunEnds;
  readonly ended: { readonly exit: RunExit; readonly failure: RunFailure | null } | null;
};

/** One worker that takes runs, as it told last. */
export type TranscodeWorker = {
  readonly id: string;
  readonly capacity: Amounts;
  readonly taken: Amounts;
  /** The runs that have taken it. */
  readonly runs: readonly RunId[];
  /** What it encodes with, best first. */
  readonly hardware: readonly Hardware[];
  /** Versions of what finds the media of pages; absent while it is not known yet. */
  readonly programs?: Readonly<Record<'streamlink' | 'ytdlp', string | null>>;
};

/** Who transcodes, over all machines. */
export interface WorkerBoard {
  /** Those that have told of themselves lately. @throws DependencyError `STORE_UNAVAILABLE` */
  list(): Promise<readonly TranscodeWorker[]>;
}

/** Which api process has the runs of a stream; the others read from it. */
export interface RunHolders {
  /**
   * Takes the runs of a stream for `apiUrl`, until `release`, or until that process is gone.
   * @returns the URL of the process that has them: the one given, or another.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  take(streamId: StreamId, apiUrl: string): Promise<string>;
  /** Never throws. */
  release(streamId: StreamId, apiUrl: string): void;
}

/** The profiles that apps have made. @throws DependencyError `STORE_UNAVAILABLE`, all of it. */
export interface ProfileStore {
  list(): Promise<readonly UserProfile[]>;
  find(name: string): Promise<UserProfile | undefined>;
  save(profile: UserProfile): Promise<void>;
  /** False when there is none of that name. */
  remove(name: string): Promise<boolean>;
}
