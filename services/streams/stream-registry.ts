import { InvalidInputError, NotFoundError, UpstreamError, codeOf } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Timer } from '#kernel/clock';
import type { ClientId, StreamId } from '#kernel/ids';
import { SessionRegistry } from '#sessions';
import type { Session } from '#sessions';
import type { StreamDefinition, StreamInput } from './definition.ts';
import { ManagedStream } from './managed-stream.ts';
import type { StreamOwner } from './managed-stream.ts';
import type {
  CreateOutcome,
  FailoverOutcome,
  KindTotals,
  MediaKind,
  StreamSnapshot,
  Totals,
  ViewerSnapshot,
} from './snapshots.ts';
import type { Note } from './note.ts';
import type { PeerViewer } from './ports.ts';
import { StreamLedger } from './stream-ledger.ts';
import { idFor } from './stream-id.ts';
import type { StreamRegistryOptions } from './stream-registry-options.ts';
import type { Removal, Streams } from './streams.ts';
import type { Switch } from './switch-log.ts';
import { Tally } from './tally.ts';
import { ViewerEndings } from './viewer-endings.ts';
import { ViewerHistory } from './viewer-history.ts';
import type { Stream, StreamDirectory, SwitchTiming } from './viewing.ts';

const byAge = (a: StreamDefinition, b: StreamDefinition): number => a.createdAtMs - b.createdAtMs;

/** Watched streams are marked as used this often, so that they never expire; and viewers counted. */
const TOUCH_EVERY_MS = 5_000;

/**
 * Every stream that this process knows: a mirror of the store, so that known streams play on while
 * the store is away. Owns the viewer sessions. State changes and their events go to the journal
 * together.
 */
export class StreamRegistry implements Streams, StreamDirectory, StreamOwner {
  readonly #options: StreamRegistryOptions;
  readonly #streams = new Map<StreamId, ManagedStream>();
  readonly #sessions: SessionRegistry;
  readonly #endings: ViewerEndings;
  readonly #ledger: StreamLedger;
  readonly #history: ViewerHistory;
  readonly #tally = new Tally();
  readonly #startedAtMs: number;
  #touching: Timer | undefined;

  constructor(options: StreamRegistryOptions) {
    const { clock, timers } = options;
    this.#options = options;
    this.#startedAtMs = clock.monotonicMs();
    this.#ledger = new StreamLedger(options);
    this.#history = new ViewerHistory(options.pasts);
    this.#sessions = new SessionRegistry({
      clock,
      timers,
      events: {
        joined: (session) => this.#withStream(session, (stream) => this.#joined(stream, session)),
        left: (session, reason) =>
          this.#withStream(session, (stream) => this.#left(stream, session, reason)),
      },
    });
    this.#endings = new ViewerEndings(this.#sessions, options.peers);
  }

  /** Fills the mirror from the store and follows its changes. Call once, before serving. */
  async load(): Promise<void> {
    this.#options.store.onChange((id) => void this.#refresh(id));
    const definitions = await this.#options.store.loadAll();
    for (const definition of definitions.toSorted(byAge)) this.#apply(definition);
    this.#armTouch();
  }

  async create(input: StreamInput): Promise<CreateOutcome> {
    const id = idFor(input, (taken) => this.#streams.get(taken)?.definition);
    const existing = this.#streams.get(id);
    const createdAtMs = existing?.definition.createdAtMs ?? this.#options.clock.nowMs();
    const definition: StreamDefinition = { v: 1, id, createdAtMs, ...input };
    await this.#ledger.saved(definition);
    const stream = this.#apply(definition);
    const isWatched = existing !== undefined && stream.viewerCount > 0;
    return {
      snapshot: stream.snapshot(),
      outcome: existing === undefined ? 'created' : 'updated',
      deferred: isWatched ? ['user_agent', 'headers', 'sharing', 'egress', 'max_connections'] : [],
    };
  }

  list(): readonly StreamSnapshot[] {
    return [...this.#streams.values()].map((stream) => stream.snapshot());
  }

  async get(id: StreamId): Promise<StreamSnapshot> {
    return (await this.#find(id)).snapshot();
  }

  open(id: StreamId): Promise<Stream> {
    return this.#find(id);
  }

  viewers(id?: StreamId): readonly ViewerSnapshot[] {
    return id === undefined ? this.#sessions.all() : this.#sessions.ofStream(id);
  }

  totals(): Totals {
    return {
      streams: this.#streams.size,
      activeStreams: this.#sessions.watchedStreams().length,
      viewers: this.#sessions.all().length,
      ...this.#tally.sums,
      uptimeSeconds: Math.floor((this.#options.clock.monotonicMs() - this.#startedAtMs) / 1000),
    };
  }

  /** The totals of each kind of media. */
  totalsByKind(): Readonly<Record<MediaKind, KindTotals>> {
    return this.#tally.byKind(this.#streams.values());
  }

  async remove(id: StreamId, removal: Removal): Promise<void> {
    const stream = await this.#find(id);
    stream.settle();
    await this.#ledger.removed(stream, this.#sessions.ofStream(id), removal);
    this.#forget(stream);
  }

  async failover(id: StreamId): Promise<FailoverOutcome> {
    const stream = await this.#find(id);
    if (stream.cursor.alternates === 0) {
      throw new InvalidInputError('FAILOVER_NOT_CONFIGURED', {
        message: 'The stream has neither failover URLs nor a failover resolver.',
      });
    }
    if (!(await this.#advance(stream))) {
      throw new UpstreamError('ALL_SOURCES_FAILED', {
        message: 'There is no other source to go to.',
      });
    }
    stream.announceMove();
    const { cursor, kind, viewerCount } = stream;
    return {
      newUrl: cursor.url,
      failoverIndex: cursor.index,
      failoverAttempts: cursor.attempts,
      viewerCount,
      kind,
    };
  }

  kick(clientId: ClientId, id?: StreamId): Promise<boolean> {
    return this.#endings.kick(clientId, id);
  }

  dismiss(clientId: ClientId, id?: StreamId): Promise<boolean> {
    return this.#endings.dismiss(clientId, id);
  }

  async viewersElsewhere(id: StreamId): Promise<readonly PeerViewer[]> {
    return (await this.#options.peers?.ofStream(id)) ?? [];
  }

  /** Ends every viewer that was let in with this stream key. */
  readonly endKey = (keyId: string): void => this.#sessions.endKey(keyId);

  touch(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream) this.used(stream);
  }

  /** Ends every viewer, with its events, and stops the timers. The streams stay in the store. */
  close(): void {
    this.#touching?.cancel();
    this.#sessions.close('shutting_down');
  }

  served(stream: ManagedStream, bytes: number, segments: number): void {
    stream.bytesServed += bytes;
    stream.segmentsServed += segments;
    this.#tally.served(stream.kind, bytes, segments);
  }

  erred(error: AppError): void {
    this.#options.meter?.failed(error.code);
  }

  moved(stream: ManagedStream, move: Switch, timing: SwitchTiming | undefined): void {
    this.#options.logger.info('source switched', {
      streamId: stream.id,
      failoverIndex: move.index,
      reason: move.reason,
      failedTries: move.failedTries,
      ...timing,
    });
    this.#options.meter?.switched(move.cause, timing);
    this.#ledger.moved(stream, move, timing);
  }

  gaveUp(stream: ManagedStream, error: AppError, retries: number): void {
    this.#options.logger.warn('sources failed', { streamId: stream.id, code: error.code });
    this.#ledger.failed(stream, error, retries);
  }

  noted(stream: ManagedStream, note: Note): void {
    this.#options.logger.info('stream noted', { streamId: stream.id, ...note });
    this.#ledger.noted(stream, note);
  }

  used(stream: ManagedStream): void {
    stream.lastAccessMs = this.#options.clock.nowMs();
    this.#options.store.touch([stream.id]);
  }

  #joined(stream: ManagedStream, session: Session): void {
    this.#ledger.joined(stream, session);
    void this.#history.joined(session);
  }

  /** With the last viewer goes who would have seen the new source's picture. */
  #left(stream: ManagedStream, session: Session, reason: string): void {
    if (stream.viewerCount === 0) stream.settle();
    this.#ledger.left(stream, session, reason);
  }

  async #advance(stream: ManagedStream): Promise<boolean> {
    try {
      return await stream.cursor.advance({ reason: 'manual' });
    } catch (error) {
      this.#options.logger.warn('failover resolver failed', {
        streamId: stream.id,
        code: codeOf(error),
      });
      return false;
    }
  }

  async #find(id: StreamId): Promise<ManagedStream> {
    const known = this.#streams.get(id);
    if (known) return known;
    const definition = await this.#options.store.find(id);
    if (definition) return this.#apply(definition);
    throw new NotFoundError('STREAM_NOT_FOUND', { message: 'Stream not found.' });
  }

  /** Another process saved or removed a stream. */
  async #refresh(id: StreamId): Promise<void> {
    try {
      const definition = await this.#options.store.find(id);
      const known = this.#streams.get(id);
      if (definition) this.#apply(definition);
      else if (known) this.#endElsewhere(known);
    } catch (error) {
      this.#options.logger.warn('stream not refreshed', { streamId: id, code: codeOf(error) });
    }
  }

  /** Whoever removed it has told that it stopped; that our viewers left is ours to tell. */
  #endElsewhere(stream: ManagedStream): void {
    for (const session of this.#sessions.ofStream(stream.id)) {
      this.#sessions.end(session, 'stream_removed');
    }
    this.#forget(stream);
  }

  #apply(definition: StreamDefinition): ManagedStream {
    const known = this.#streams.get(definition.id);
    known?.update(definition);
    if (known) return known;
    const { defaults, resolver, clock, timers } = this.#options;
    const common = { defaults, resolver, clock, timers, sessions: this.#sessions };
    const stream = new ManagedStream({ ...common, definition, owner: this });
    this.#streams.set(definition.id, stream);
    return stream;
  }

  #forget(stream: ManagedStream): void {
    this.#streams.delete(stream.id);
    stream.markRemoved();
    this.#sessions.dropStream(stream.id);
  }

  #withStream(session: Session, tell: (stream: ManagedStream) => void): void {
    const stream = this.#streams.get(session.streamId);
    if (stream) tell(stream);
  }

  #armTouch(): void {
    const beat = (): void => {
      this.#options.store.touch(this.#sessions.watchedStreams());
      this.#history.save(this.#sessions.all());
      this.#armTouch();
    };
    this.#touching = this.#options.timers.after(TOUCH_EVERY_MS, beat, { background: true });
  }
}
