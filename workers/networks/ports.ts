import type { Duplex, Readable, Writable } from 'node:stream';
import type {
  MediaSources,
  Network,
  NetworkFolder,
  NetworkNotes,
  NetworkQueue,
  NetworkStore,
} from '#networks';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { Progress, RunExit, RunLines } from '#transcode';

/** One FFmpeg under way. */
export interface NetworkFfmpeg {
  readonly pid: number | undefined;
  readonly input: Writable;
  /** A line for each finished segment. */
  readonly output: Readable;
  /** From descriptor 5 on. */
  readonly morePipes: readonly Duplex[];
  readonly lines: Pick<RunLines, 'all'>;
  readonly progress: () => Progress | null;
  readonly exited: Promise<RunExit>;
  stop(): Promise<RunExit>;
}

export type StartFfmpeg = (run: {
  readonly args: readonly string[];
  readonly folder: string;
  readonly morePipes: number;
}) => NetworkFfmpeg;

export type KeeperOptions = {
  readonly store: NetworkStore;
  readonly notes: NetworkNotes;
  readonly queue: NetworkQueue;
  readonly sources: MediaSources;
  readonly start: StartFfmpeg;
  readonly openFolder: (network: Network) => NetworkFolder;
  readonly settings: NetworkSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

export type NetworkSettings = {
  /** FFmpeg that lives for so long has begun, whatever it has written. */
  readonly graceMs: number;
  /** FFmpeg that finishes no segment for so long has stalled. */
  readonly stallMs: number;
  /** A recording may be without progress for so long. */
  readonly dvrWindowMs: number;
  readonly subtitleOffsetMs: number;
};
