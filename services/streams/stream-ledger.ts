import type { DomainEvent, StopReason } from '#events';
import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { NodeEpoch } from '#kernel/ids';
import type { Session } from '#sessions';
import type { StreamDefinition } from './definition.ts';
import type { ManagedStream, StreamDefaults } from './managed-stream.ts';
import { mediaKindOf } from './media-kind.ts';
import type { StateChange, StateJournal } from './ports.ts';
import { StreamEvents } from './stream-events.ts';
import type { Note } from './note.ts';
import type { Removal } from './streams.ts';
import type { Switch } from './switch-log.ts';
import type { SwitchTiming } from './viewing.ts';

export type StreamLedgerOptions = {
  readonly journal: StateJournal;
  readonly defaults: StreamDefaults;
  readonly node: NodeEpoch;
  readonly clock: Clock;
};

/** Puts what happens to streams into the journal: each change of state with its event. */
export class StreamLedger {
  readonly #options: StreamLedgerOptions;
  readonly #events: StreamEvents;

  constructor(options: StreamLedgerOptions) {
    this.#options = options;
    this.#events = new StreamEvents(() => options.clock.nowMs());
  }

  /** Durable when it resolves. A stream that is not open is opened by it. */
  saved(definition: StreamDefinition): Promise<void> {
    return this.#options.journal.commit([
      { kind: 'stream-saved', definition },
      { kind: 'stream-opened', event: this.#started(definition) },
    ]);
  }

  /** Durable when it resolves: the stream is gone and everybody has left it. */
  removed(stream: ManagedStream, viewers: readonly Session[], removal: Removal): Promise<void> {
    return this.#options.journal.commit([
      ...viewers.map((session) => this.#leftChange(stream, session, removal.reason)),
      { kind: 'stream-closed', event: this.#events.stopped(stream, removal) },
      { kind: 'stream-removed', streamId: stream.id },
    ]);
  }

  joined(stream: ManagedStream, session: Session): void {
    this.#options.journal.append([
      { kind: 'stream-opened', event: this.#started(stream.definition) },
      {
        kind: 'viewer-joined',
        sessionId: session.id,
        node: this.#options.node,
        polls: session.polls,
        event: this.#events.joined(stream, session),
      },
    ]);
  }

  /** The last viewer to leave stops the stream. */
  left(stream: ManagedStream, session: Session, reason: string): void {
    const changes: StateChange[] = [this.#leftChange(stream, session, reason)];
    if (stream.viewerCount === 0) {
      const event = this.#events.stopped(stream, { reason: stopReasonOf(reason) }, session);
      changes.push({ kind: 'stream-closed', event });
    }
    this.#options.journal.append(changes);
  }

  moved(stream: ManagedStream, move: Switch, timing: SwitchTiming | undefined): void {
    const event = this.#events.moved(stream, move, timing?.gapMs ?? null);
    this.#options.journal.append([{ kind: 'moved', node: this.#options.node, event }]);
  }

  failed(stream: ManagedStream, error: AppError, retries: number): void {
    const event = this.#events.failed(stream, error, retries);
    this.#options.journal.append([{ kind: 'noted', event }]);
  }

  noted(stream: ManagedStream, note: Note): void {
    const event = this.#events.noted(stream, note);
    this.#options.journal.append([{ kind: 'noted', event }]);
  }

  #leftChange(stream: ManagedStream, session: Session, reason: string): StateChange {
    const event = this.#events.left(stream, session, reason);
    return { kind: 'viewer-left', sessionId: session.id, event };
  }

  #started(definition: StreamDefinition): DomainEvent {
    return this.#events.started(definition, {
      userAgent: definition.userAgent ?? this.#options.defaults.userAgent,
      streamType: mediaKindOf(definition.url) === 'hls' ? 'hls' : 'direct',
    });
  }
}

const stopReasonOf = (reason: string): StopReason =>
  reason === 'sources_failed' ? reason : 'last_client_disconnected';
