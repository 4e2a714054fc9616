import type { Grant } from '#access';
import type { AppError } from '#kernel/app-error';
import type { ClientId, StreamId } from '#kernel/ids';
import type { ResolverPlan } from '#resolve';
import type { HardwareFallback, TranscodePlan } from '#transcode';
import type { SlateTrigger } from '#upstream';
import type { SharingMode, StreamOptions } from './definition.ts';
import type { MediaFacts, MediaKind } from './snapshots.ts';

/** Who asks to watch, as far as the request tells. */
export type ViewerRequest = {
  /** As given with `client_id`; absent: derived from the rest. */
  readonly clientId?: ClientId;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly username?: string;
  /** What it was let in with; absent where nobody asks. */
  readonly grant?: Grant;
  /** Proof of that, for the links of its playlists: query text that begins with `&`. */
  readonly passFor?: (clientId: ClientId) => string;
};

/** One source that can be opened now. */
export type Source = {
  readonly url: string;
  /** -1 is the primary, n the (n+1)-th backup; counts on with a resolver. */
  readonly index: number;
  /** `User-Agent` and the stream's own headers. */
  readonly headers: Readonly<Record<string, string>>;
};

/** What a switch of source took, as one reader measured it; all in milliseconds. */
export type SwitchTiming = {
  /** From the last byte of the old source to the first of the new; or, in playlists, segment. */
  readonly gapMs: number;
  /** Of that: until it was noticed that the old source had failed. */
  readonly detectionMs: number;
  /** Of that: from asking the new source to its first media. */
  readonly connectMs: number;
};

/** A source that a reader may open beside the one in use. Whoever got it closes it. */
export interface SpareSource {
  readonly source: Source;
  /** Media arrives from it: should the source in use fail, this one takes over at once. */
  flowing(): void;
  /** It did not work: judged like any failure of that source; the one in use is not concerned. */
  failed(error: AppError): void;
  /** It is not held ready any more, or has become the source in use. Idempotent. */
  close(): void;
}

/** What a reader does for its viewers while no source works. */
export interface WalkReader {
  /** What it reads the stream as: failures are told by it. The stream's kind when absent. */
  readonly as?: MediaKind;
  /**
   * All tries are used up. True: viewers see something else meanwhile, and tries go on, growing
   * rarer, until the walk is closed.
   */
  holdsOut(error: AppError): boolean;
}

/**
 * One reader's way through a stream's sources: a relay's, a file transfer's, a playlist's.
 * Retries are counted per walk; which source is in use is the stream's and common to all walks.
 */
export interface SourceWalk {
  /** The source to open now. Another walk, or an app, may have moved the stream on. */
  readonly current: Source;
  /**
   * The source to open now, as `current`; waits while another reader tries it after a cooldown.
   * @throws as `failed`.
   */
  ready(signal: AbortSignal): Promise<Source>;
  /**
   * Media arrives from `current`. Tells the stream that this source works.
   * @param timing - Where it took the place of another: how long the reader had nothing.
   */
  flowing(timing?: SwitchTiming): void;
  /**
   * The source `failed` did not work. Waits as the policy says and gives the next to try: the same
   * again, or another. When the stream has left `failed` already, gives the current one at once.
   *
   * @throws UpstreamError `ALL_SOURCES_FAILED`, cause: `error`, when this outage has used up its
   *   tries. `stream_failed` has then been told.
   * @throws the signal's reason when it aborts.
   */
  failed(failed: Source, error: AppError, signal: AbortSignal): Promise<Source>;
  /** Calls when an app moves the stream to another source; returns how to stop listening. */
  onMoved(listener: (source: Source) => void): () => void;
  /**
   * The source that would be next, to keep ready; at most one at a time. Absent when there is no
   * other, when all others cool or are being tried, and when a resolver names the next.
   *
   * @param mayOpen - Asked of each that comes into question, in order, until it says yes.
   */
  spare(mayOpen: (source: Source) => boolean): SpareSource | undefined;
  /** The stream returns to its primary when that works again: a setting. */
  readonly canReturn: boolean;
  /** It is time to try the primary, in order to return to it. */
  readonly isReturnDue: boolean;
  /** The primary, when that is due; of all readers one gets it at a time. */
  returning(mayOpen: (source: Source) => boolean): SpareSource | undefined;
  /** Moves the stream to the primary, which has proved to work. Readers hear of it by `onMoved`. */
  returnToPrimary(): void;
  /**
   * The reader that held out does so no longer: tells `stream_failed`.
   * @returns what its viewers are told.
   */
  giveUp(error: AppError): AppError;
  /** This reader's viewers see a slate, or no longer. */
  slate(trigger: SlateTrigger | undefined): void;
  /**
   * Another process had the stream at the source that `isIt` knows: goes on there, and tells nobody. Not
   * where it has moved here already, and not where a resolver names the sources.
   */
  takeUp(isIt: (url: string) => boolean): void;
  /** This reader is done. Idempotent. */
  close(): void;
}

/** One viewer's presence while one of its requests is served. */
export interface ViewerConnection {
  readonly clientId: ClientId;
  /** Aborts when the viewer is kicked or the stream removed: the response must end at once. */
  readonly ended: AbortSignal;
  /** Counts bytes that were handed to the viewer, for the viewer, its stream and the process. */
  served(bytes: number): void;
  segmentServed(): void;
  /** This request is over. Idempotent. The viewer leaves with its last connection. */
  close(reason: string): void;
}

/** The right to find out what the source in use consists of. Whoever got it closes it. */
export interface MediaLook {
  /** What was found; undefined when it could not be told. Closes it. */
  told(facts: MediaFacts | undefined): void;
  /** It was not found out: another may. Idempotent. */
  close(): void;
}

/** The delivery side of one stream. */
export interface Stream {
  readonly id: StreamId;
  readonly kind: MediaKind;
  readonly sharing: SharingMode;
  /** What the app wants of this stream alone. */
  readonly options: StreamOptions;
  /** What viewers get instead of the sources' own media; undefined: those. */
  readonly transcode: TranscodePlan | undefined;
  /** A program finds the media of its sources, which are pages; undefined: they are media. */
  readonly resolver?: ResolverPlan | undefined;
  /** There is another source than the one in use. */
  readonly hasOtherSource: boolean;
  /** Aborts when the stream is removed. */
  readonly removed: AbortSignal;
  walk(reader?: WalkReader): SourceWalk;
  /**
   * A viewer's request has come. It counts at once. When the last connection closes, the viewer
   * stays for `lingerMs` (0 for live; a moment for files, whose players seek by new requests).
   */
  join(viewer: ViewerRequest, lingerMs: number): ViewerConnection;
  /**
   * A viewer that polls (HLS) has asked again. It leaves when it has not asked for `idleMs`.
   */
  poll(viewer: ViewerRequest, idleMs: number): ViewerConnection;
  /**
   * What the source's answer proved: corrects `kind` where the URL said too little.
   * @param url - The source's, where it may be one that is only held ready: that proves nothing.
   */
  learnKind(kind: MediaKind, url?: string): void;
  /** Its transcode goes on, or begins, in software where a device could have encoded. */
  fellBack(fallback: HardwareFallback): void;
  /** Undefined when what the source in use consists of is known, or another is looking. */
  lookAtMedia(): MediaLook | undefined;
}

/** Finds streams for delivery. */
export interface StreamDirectory {
  /**
   * @throws NotFoundError `STREAM_NOT_FOUND`
   */
  open(id: StreamId): Promise<Stream>;
}
