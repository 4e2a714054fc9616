import type { StopReason } from '#events';
import type { ClientId, StreamId } from '#kernel/ids';
import type { StreamInput } from './definition.ts';
import type { PeerViewer } from './ports.ts';
import type {
  CreateOutcome,
  FailoverOutcome,
  StreamSnapshot,
  Totals,
  ViewerSnapshot,
} from './snapshots.ts';

/** Why a stream is removed; the words go into its `stream_stopped`. */
export type Removal = {
  readonly reason: StopReason;
  readonly filter?: { readonly field: string; readonly value: string };
};

/** The management side of all streams: what the API's routes call. */
export interface Streams {
  /**
   * Registers a stream, or updates the one with the same URL. No upstream is contacted.
   * @throws DependencyError `STORE_UNAVAILABLE`; then nothing has changed.
   */
  create(input: StreamInput): Promise<CreateOutcome>;
  /** Every stream, oldest first. */
  list(): readonly StreamSnapshot[];
  /** @throws NotFoundError `STREAM_NOT_FOUND` */
  get(id: StreamId): Promise<StreamSnapshot>;
  /** Every viewer, of one stream or of all. */
  viewers(id?: StreamId): readonly ViewerSnapshot[];
  totals(): Totals;
  /**
   * Cuts every viewer, closes every upstream and forgets the stream.
   * @throws NotFoundError `STREAM_NOT_FOUND`
   * @throws DependencyError `STORE_UNAVAILABLE`; then the stream goes on.
   */
  remove(id: StreamId, removal: Removal): Promise<void>;
  /**
   * Moves on to the next source, once, whoever watches.
   * @throws NotFoundError `STREAM_NOT_FOUND`
   * @throws InvalidInputError `FAILOVER_NOT_CONFIGURED`
   * @throws UpstreamError `ALL_SOURCES_FAILED` when there is no other source to go to.
   */
  failover(id: StreamId): Promise<FailoverOutcome>;
  /**
   * Ends one viewer; of one stream, or wherever it watches. If it polls, it is refused for half a
   * minute. Viewers of other processes are ended there. False when there is none.
   */
  kick(clientId: ClientId, id?: StreamId): Promise<boolean>;
  /** As `kick`, for a viewer that has left by its app's word: it may be back at any time. */
  dismiss(clientId: ClientId, id?: StreamId): Promise<boolean>;
  /** Who watches a stream at other processes; nobody is known of while the store is away. */
  viewersElsewhere(id: StreamId): Promise<readonly PeerViewer[]>;
  /** Marks a stream as used by an app, so that it does not expire. */
  touch(id: StreamId): void;
}
