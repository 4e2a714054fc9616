import type { DomainEvent } from '#events';
import type { ClientId, NodeEpoch, SessionId, StreamId } from '#kernel/ids';
import type { StreamDefinition } from './definition.ts';

/**
 * One change of durable state, with the event that tells of it. An adapter writes both in one
 * transaction, so that neither exists without the other.
 */
export type StateChange =
  | { readonly kind: 'stream-saved'; readonly definition: StreamDefinition }
  | { readonly kind: 'stream-removed'; readonly streamId: StreamId }
  /** The event is written only if the stream was not open already. */
  | { readonly kind: 'stream-opened'; readonly event: DomainEvent }
  /**
   * The event is written only if the stream was open: exactly one `stream_stopped` each. When it
   * says that nobody watches (`last_client_disconnected`, `sources_failed`), it and the closing
   * also wait until no viewer of any process is on record; so `viewer-left` goes first.
   */
  | { readonly kind: 'stream-closed'; readonly event: DomainEvent }
  /**
   * The event is written only if the viewer (stream and client id) had no session on record. Those
   * that it had at processes that are gone, and, where both poll, at any, are taken over: ended
   * without a word, and what they were served counts for this one.
   */
  | {
      readonly kind: 'viewer-joined';
      readonly sessionId: SessionId;
      readonly node: NodeEpoch;
      /** It asks again and again; else it has a connection. */
      readonly polls: boolean;
      readonly event: DomainEvent;
    }
  /**
   * The event is written only if the session was still on record, and was the last of its viewer;
   * with what those before it were served.
   */
  | { readonly kind: 'viewer-left'; readonly sessionId: SessionId; readonly event: DomainEvent }
  /**
   * A switch of source. The event is written unless another process has told the same a moment ago:
   * one that is gone, whose way is gone again, or one beside this.
   */
  | { readonly kind: 'moved'; readonly node: NodeEpoch; readonly event: DomainEvent }
  /** A fact that changes no record. */
  | { readonly kind: 'noted'; readonly event: DomainEvent };

/** Writes state and events together, in the order of the calls, from one process. */
export interface StateJournal {
  /**
   * Resolves when all changes are written, atomically.
   * @throws DependencyError `STORE_UNAVAILABLE` when the store is away; then none was written.
   */
  commit(changes: readonly StateChange[]): Promise<void>;
  /**
   * Never throws. While the store is away the changes are kept in memory, in order and within a
   * bound, and written when it is back.
   */
  append(changes: readonly StateChange[]): void;
}

/** Durable stream definitions. */
export interface StreamStore {
  /** Every definition. Called once at start. */
  loadAll(): Promise<readonly StreamDefinition[]>;
  /** One definition, for ids that this process has not heard of yet. */
  find(id: StreamId): Promise<StreamDefinition | undefined>;
  /** Postpones expiry: these streams were used now. Never throws. */
  touch(ids: readonly StreamId[]): void;
  /** Calls for every stream that another process saved or removed. */
  onChange(listener: (id: StreamId) => void): void;
}

/** One who watches a stream at some process. */
export type PeerViewer = { readonly streamId: StreamId; readonly clientId: ClientId };

/**
 * Who watches at other api processes, and how to end that. Nothing of it throws: while the store is
 * away nobody is found, and nobody is told.
 */
export interface PeerViewers {
  ofStream(id: StreamId): Promise<readonly PeerViewer[]>;
  /** Wherever it watches. */
  named(clientId: ClientId): Promise<readonly PeerViewer[]>;
  /**
   * Asks all other processes to end this viewer.
   * @param isRefused - And to refuse it for a moment, also where it has not been.
   * @returns false when they could not be told.
   */
  end(viewer: PeerViewer, isRefused: boolean): Promise<boolean>;
  /** Calls for every viewer that another process wants ended. */
  onEnd(listener: (viewer: PeerViewer, isRefused: boolean) => void): void;
}

/** What a viewer has been served so far. */
export type ViewerCount = {
  readonly sessionId: SessionId;
  readonly bytesServed: number;
  readonly segmentsServed: number;
};

/** What a viewer was served by a process that is gone, and since when it has watched. */
export type ViewerPast = Omit<ViewerCount, 'sessionId'> & { readonly sinceMs: number };

/** What viewers were served, for the case that their process dies. Nothing of it throws. */
export interface ViewerPasts {
  /** Written down for whoever goes on with these viewers, or tells that they are gone. */
  save(counts: readonly ViewerCount[]): void;
  /** What this session has taken over; told once, from then on it is this process's to count. */
  take(sessionId: SessionId): Promise<ViewerPast | undefined>;
}

/** Asks the app for the next source (m3u-proxy contract 7.4). */
export interface FailoverResolver {
  /**
   * The next URL, or `undefined` when the app has none. The URL is as the app wrote it:
   * the caller checks it.
   * @throws UpstreamError when the app does not answer in time or answers with an error.
   */
  next(
    resolverUrl: string,
    question: ResolverQuestion,
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

export type ResolverQuestion = {
  readonly currentUrl: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 on the primary, n on the n-th backup (m3u-editor contract 3.2). */
  readonly currentFailoverIndex: number;
  /** HTTP status of the failing source, when it answered with one. */
  readonly statusCode: number | null;
  readonly reason: string;
};
