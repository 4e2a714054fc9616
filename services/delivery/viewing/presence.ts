import type { Timer, Timers } from '#kernel/clock';
import type { ClientId } from '#kernel/ids';
import { viewerSuffix } from './child-urls.ts';
import type { Stream, ViewerConnection, ViewerRequest } from '#streams';

/** A viewer is said to be there this many times within the time after which it would be gone. */
const BEATS_PER_IDLE = 4;

export type PresenceOptions = {
  readonly stream: Stream;
  readonly viewer: ViewerRequest;
  /** A viewer that polls is gone when it has not asked for this long, as is known now. */
  readonly idleMs: () => number;
  readonly timers: Timers;
};

/**
 * A polling viewer while one of its requests is open. It counts from the first moment, and does
 * not grow idle over a slow source or a long segment. `close` when the request is over.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #connection: ViewerConnection;
  /** As it was when the viewer was last said to be there. */
  #idleMs: number;
  #beat: Timer | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs();
    this.#connection = options.stream.poll(options.viewer, this.#idleMs);
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
    // Of a stream's first viewer it is known only now how long it need not ask again.
    if (this.#options.idleMs() > this.#idleMs) this.#touch();
    this.#connection.close(reason);
  }

  #armBeat(): void {
    const beat = (): void => {
      if (this.ended.aborted) return;
      this.#touch();
      this.#armBeat();
    };
    const delayMs = this.#idleMs / BEATS_PER_IDLE;
    this.#beat = this.#options.timers.after(delayMs, beat, { background: true });
  }

  #touch(): void {
    if (this.ended.aborted) return;
    const { stream, viewer, idleMs } = this.#options;
    this.#idleMs = idleMs();
    stream.poll({ ...viewer, clientId: this.clientId }, this.#idleMs);
  }
}
