import type { AppError } from '#kernel/app-error';
import type { ClientId, StreamId } from '#kernel/ids';
import type { SharingMode, StreamOptions } from './definition.ts';
import type { MediaKind } from './snapshots.ts';

/** Who asks to watch, as far as the request tells. */
export type ViewerRequest = {
  /** As given with `client_id`; absent: derived from the rest. */
  readonly clientId?: ClientId;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly username?: string;
};

/** One source that can be opened now. */
export type Source = {
  readonly url: string;
  /** -1 is the primary, n the (n+1)-th backup; counts on with a resolver. */
  readonly index: number;
  /** `User-Agent` and the stream's own headers. */
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * One reader's way through a stream's sources: a relay's, a file transfer's, a playlist's.
 * Retries are counted per walk; which source is in use is the stream's and common to all walks.
 */
export interface SourceWalk {
  /** The source to open now. Another walk, or an app, may have moved the stream on. */
  readonly current: Source;
  /** Media arrives from `current`. Tells the stream that this source works. */
  flowing(): void;
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

/** The delivery side of one stream. */
export interface Stream {
  readonly id: StreamId;
  readonly kind: MediaKind;
  readonly sharing: SharingMode;
  /** What the app wants of this stream alone. */
  readonly options: StreamOptions;
  /** There is another source than the one in use. */
  readonly hasOtherSource: boolean;
  /** Aborts when the stream is removed. */
  readonly removed: AbortSignal;
  walk(): SourceWalk;
  /**
   * A viewer's request has come. It counts at once. When the last connection closes, the viewer
   * stays for `lingerMs` (0 for live; a moment for files, whose players seek by new requests).
   */
  join(viewer: ViewerRequest, lingerMs: number): ViewerConnection;
  /**
   * A viewer that polls (HLS) has asked again. It leaves when it has not asked for `idleMs`.
   * @throws NotAllowedError `VIEWER_KICKED` while a kicked viewer is refused.
   */
  poll(viewer: ViewerRequest, idleMs: number): ViewerConnection;
  /** What the source's answer proved: corrects `kind` where the URL said too little. */
  learnKind(kind: MediaKind): void;
}

/** Finds streams for delivery. */
export interface StreamDirectory {
  /**
   * @throws NotFoundError `STREAM_NOT_FOUND`
   */
  open(id: StreamId): Promise<Stream>;
}
