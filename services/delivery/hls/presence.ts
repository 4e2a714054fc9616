import type { Timer, Timers } from '#kernel/clock';
import type { ClientId } from '#kernel/ids';
import { viewerSuffix } from './child-urls.ts';
import type { Stream, ViewerConnection, ViewerRequest } from '#streams';

/** A viewer is said to be there this many times within the time after which it would be gone. */
const BEATS_PER_IDLE = 4;

export type PresenceOptions = {
  readonly stream: Stream;
  readonly viewer: ViewerRequest;
  /** A viewer that polls is gone when it has not asked for this long. */
  readonly idleMs: number;
  readonly timers: Timers;
};

/**
 * A polling viewer while one of its requests is open. It counts from the first moment, and does
 * not grow idle over a slow source or a long segment. `close` when the request is over.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #connection: ViewerConnection;
  #beat: Timer | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#connection = options.stream.poll(options.viewer, options.idleMs);
    this.#armBeat();
  }

  get clientId(): ClientId {
    return this.#connection.clientId;
  }

  /** What follows every link that is written for this viewer. */
  get linkSuffix(): string {
    return viewerSuffix(this.clientId, this.#options.viewer);
  }

  /** Aborts when the viewer is kicked or the stream removed. */
  get ended(): AbortSignal {
    return this.#connection.ended;
  }

  served(bytes: number): void {
    this.#connection.served(bytes);
  }

  segmentServed(): void {
    this.#connection.segmentServed();
  }

  /** Idempotent. */
  close(reason: string): void {
    this.#beat?.cancel();
    this.#connection.close(reason);
  }

  #armBeat(): void {
    const { stream, viewer, idleMs, timers } = this.#options;
    const touch = (): void => {
      if (this.ended.aborted) return;
      stream.poll({ ...viewer, clientId: this.clientId }, idleMs);
      this.#armBeat();
    };
    this.#beat = timers.after(idleMs / BEATS_PER_IDLE, touch, { background: true });
  }
}
