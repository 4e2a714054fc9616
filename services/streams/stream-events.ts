import type { DomainEvent, Fact } from '#events';
import { errorWord } from '#kernel/error-word';
import { newEventId } from '#kernel/ids';
import type { AppError } from '#kernel/app-error';
import type { Session } from '#sessions';
import { wireNameOf } from '#upstream';
import type { ManagedStream } from './managed-stream.ts';
import type { Note } from './note.ts';
import type { Removal } from './streams.ts';
import type { Switch } from './switch-log.ts';

type Draft = Omit<DomainEvent, 'eventId'>;

const named = (draft: Draft): DomainEvent => ({ eventId: newEventId(), ...draft });

/** Makes the events of one stream: each call names a new fact. */
export class StreamEvents {
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  started(definition: ManagedStream['definition'], facts: StartFacts): DomainEvent {
    return named({
      streamId: definition.id,
      atMs: this.#nowMs(),
      metadata: definition.metadata,
      fact: {
        type: 'stream_started',
        primaryUrl: definition.url,
        failoverUrls: definition.failoverUrls,
        ...facts,
      },
    });
  }

  stopped(stream: ManagedStream, { reason, filter }: Removal, last?: Session): DomainEvent {
    const ageSeconds = Math.floor((this.#nowMs() - stream.definition.createdAtMs) / 1000);
    return this.#of(stream, {
      type: 'stream_stopped',
      reason,
      bytesServed: stream.bytesServed,
      ...(last === undefined ? {} : { clientId: last.clientId }),
      ...(filter === undefined ? {} : { filter }),
      ...(reason === 'oldest_stream_deletion' ? { streamAgeSeconds: ageSeconds } : {}),
    });
  }

  failed(stream: ManagedStream, error: AppError, retries: number): DomainEvent {
    return this.#of(stream, {
      type: 'stream_failed',
      error: error.message,
      errorType: wireNameOf(error),
      reason: 'no_failover_available',
      retryCount: retries,
    });
  }

  joined(stream: ManagedStream, session: Session): DomainEvent {
    return this.#of(stream, {
      type: 'client_connected',
      clientId: session.clientId,
      userAgent: session.userAgent,
      ipAddress: session.ipAddress,
      username: session.username,
      streamClientCount: stream.viewerCount,
    });
  }

  left(stream: ManagedStream, session: Session, reason: string): DomainEvent {
    return this.#of(stream, {
      type: 'client_disconnected',
      clientId: session.clientId,
      connectionId: session.id,
      bytesServed: session.bytesServed,
      segmentsServed: session.segmentsServed,
      reason,
    });
  }

  moved(stream: ManagedStream, move: Switch, gapMs: number | null): DomainEvent {
    return this.#of(stream, {
      type: 'failover_triggered',
      oldUrl: move.oldUrl,
      newUrl: move.newUrl,
      failoverIndex: move.index,
      attemptNumber: move.attempt,
      reason: move.reason,
      cause: errorWord(move.cause),
      clientCount: stream.viewerCount,
      gapMs,
      failedTries: move.failedTries,
    });
  }

  noted(stream: ManagedStream, note: Note): DomainEvent {
    return this.#of(stream, { ...note, clientCount: stream.viewerCount });
  }

  #of(stream: ManagedStream, fact: Fact): DomainEvent {
    const { id: streamId, metadata } = stream.definition;
    return named({ streamId, atMs: this.#nowMs(), metadata, fact });
  }
}

export type StartFacts = { readonly userAgent: string; readonly streamType: 'direct' | 'hls' };
