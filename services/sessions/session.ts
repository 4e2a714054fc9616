import type { ClientId, SessionId, StreamId } from '#kernel/ids';

/** Who watches, as far as the request told. */
export type ViewerTraits = {
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly username: string | null;
};

/** One viewer's use of one stream, from its first request to its last. */
export class Session {
  readonly id: SessionId;
  readonly streamId: StreamId;
  readonly clientId: ClientId;
  /** It asks again and again, for playlists; else its requests are the viewing. */
  readonly polls: boolean;
  readonly ipAddress: string;
  readonly userAgent: string;
  username: string | null;
  createdAtMs: number;
  lastAccessMs: number;
  bytesServed = 0;
  segmentsServed = 0;
  /** Requests that are being served now. */
  connections = 0;
  /** When a viewer that polls is gone, monotonic, unless it asks before. */
  idleAtMs = 0;
  /** How long it stays after its last request has ended. */
  lingerMs = 0;
  readonly #ended = new AbortController();

  constructor(identity: {
    readonly id: SessionId;
    readonly streamId: StreamId;
    readonly clientId: ClientId;
    readonly traits: ViewerTraits;
    readonly polls: boolean;
    readonly nowMs: number;
  }) {
    this.id = identity.id;
    this.streamId = identity.streamId;
    this.clientId = identity.clientId;
    this.ipAddress = identity.traits.ipAddress;
    this.userAgent = identity.traits.userAgent;
    this.username = identity.traits.username;
    this.polls = identity.polls;
    this.createdAtMs = identity.nowMs;
    this.lastAccessMs = identity.nowMs;
  }

  /** Aborts when the session is over, however it ended; the reason's message says how. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** It goes on with what another process has begun. */
  continues(past: {
    readonly bytesServed: number;
    readonly segmentsServed: number;
    readonly sinceMs: number;
  }): void {
    this.bytesServed += past.bytesServed;
    this.segmentsServed += past.segmentsServed;
    this.createdAtMs = Math.min(this.createdAtMs, past.sinceMs);
  }

  end(reason: string): void {
    this.#ended.abort(new DOMException(reason, 'AbortError'));
  }
}
