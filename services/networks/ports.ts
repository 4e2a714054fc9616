import type { Writable } from 'node:stream';
import type { AppError } from '#kernel/app-error';
import type { Callback, Network } from './network.ts';
import type { NetworkId } from './ids.ts';
import type { InputKind } from './ffmpeg-args.ts';
import type { Programme } from './programme.ts';
import type { SegmentWindow } from './window.ts';

/** What a record becomes; undefined leaves it as it is. May be called more than once. */
export type NetworkChange = (current: Network | undefined, nowMs: number) => Network | undefined;

/** Networks, durable. Throws DependencyError `STORE_UNAVAILABLE`, all of it. */
export interface NetworkStore {
  find(id: NetworkId): Promise<Network | undefined>;
  /** With the store's clock, in milliseconds. */
  list(): Promise<{ readonly networks: readonly Network[]; readonly nowMs: number }>;
  /**
   * Changes a record, of what it is at that moment; what the change throws is thrown. Everybody who
   * listens hears of a change of order, state or worker.
   * @returns the record as it became; undefined when it was left as it is.
   */
  change(id: NetworkId, change: NetworkChange): Promise<Network | undefined>;
  remove(id: NetworkId): Promise<void>;
  /** Removes a record that is still as given. @returns false when it has changed. */
  removeUnchanged(network: Network): Promise<boolean>;
}

/** Tells of changed records. */
export interface NetworkNotes {
  /** @returns how to stop listening. */
  listen(changed: (id: NetworkId) => void): () => void;
}

/** Work for workers. @throws DependencyError `QUEUE_UNAVAILABLE`, all of it. */
export interface NetworkQueue {
  /** Asks for a worker; the same network twice is one question. */
  ask(network: Pick<Network, 'id' | 'epoch'>): Promise<void>;
  /** Hands a callback over, to be told until it has been heard; the same twice is one. */
  tell(callback: Callback): Promise<void>;
}

/** The files of networks, as api processes need them. */
export interface NetworkFiles {
  /** Undefined when there is none. */
  readText(folder: string, name: string): Promise<string | undefined>;
  /** Removes a folder and what is in it; one that is not there is no error. */
  remove(folder: string): Promise<void>;
}

/** What networks have left on the disk of a worker. */
export interface NetworkAttic {
  /** Those of networks below a root, and for how long nothing was written in them. */
  folders(root: string): Promise<readonly { readonly path: string; readonly idleMs: number }[]>;
  /** Removes a folder, or nothing; players see it whole or not at all. */
  remove(folder: string): Promise<void>;
  /** Removes segments that left the playlist more than a minute ago. */
  removeUnlisted(folder: string): Promise<void>;
}

/** The folder of one network, for the worker that runs it. */
export interface NetworkFolder {
  /** Makes it, and takes the right to write in it from everybody with a lower epoch. */
  claim(epoch: number): Promise<void>;
  /** Removes what an earlier programme has left. */
  empty(): Promise<void>;
  readWindow(): Promise<SegmentWindow>;
  /** An empty folder for FFmpeg to write in: its path. */
  openBench(): Promise<string>;
  /**
   * Lists a segment that lies finished on the bench.
   * @returns its size in bytes; undefined when another worker has claimed the folder.
   */
  publish(segment: PublishedSegment): Promise<number | undefined>;
  removeSegment(number: number): Promise<void>;
  /** Removes benches. Never rejects. */
  close(): Promise<void>;
}

export type PublishedSegment = {
  readonly bench: string;
  readonly number: number;
  /** With this segment in it. */
  readonly window: SegmentWindow;
  /** WebVTT; undefined where there are no subtitles. */
  readonly subtitles: string | undefined;
};

/** A programme's media, fetched from its source by us and handed to one FFmpeg. */
export interface MediaSource {
  readonly kind: InputKind;
  /** Writes to FFmpeg's standard input: a script, or media until it ends. Never rejects. */
  feed(input: Writable): Promise<void>;
  /** Why it broke off, if it did. */
  readonly failure: AppError | undefined;
  /** Closes its connections at once. Idempotent. */
  close(): void;
}

/** Opens sources of programmes. */
export interface MediaSources {
  /**
   * Resolves when the source has answered.
   * @throws UpstreamError and its like: it did not, or with an error; the signal's reason.
   */
  open(source: Pick<Programme, 'streamUrl' | 'headers'>, signal: AbortSignal): Promise<MediaSource>;
}
