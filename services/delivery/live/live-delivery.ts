import { AppError, NotAllowedError, NotFoundError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId, ClientId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import { orAbort } from '#kernel/or-abort';
import type { ViewerSink } from '#relay';
import type { MediaKind, Stream, ViewerConnection, ViewerRequest } from '#streams';
import type { UpstreamClient, UpstreamTimeouts } from '#upstream';
import type { LiveDetection } from './detection.ts';
import { LiveFeed } from './live-feed.ts';

export type LiveDeliveryOptions = {
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  /** A live source that is silent for this long has stalled, whatever its rhythm. */
  readonly stallMs: number;
  readonly detection: LiveDetection;
  /** How far a viewer of a shared stream may fall behind. */
  readonly viewerBufferBytes: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** A viewer's live bytes, ready to flow. */
export type LiveViewing = {
  readonly kind: 'live';
  readonly clientId: ClientId;
  readonly contentType: string;
  /**
   * Sends bytes to `sink` until the viewer leaves, is ended, or the sources are used up. Resolves
   * with how the response has to end; never rejects.
   */
  flow(sink: ViewerSink, gone: AbortSignal): Promise<ViewingEnd>;
};

/** `clean`: the stream was stopped. `broken`: sources failed. `gone`: the viewer left. */
export type ViewingEnd = 'clean' | 'broken' | 'gone';

/** What `watch` found: bytes, or media that another delivery serves. */
export type WatchOutcome = LiveViewing | { readonly kind: Exclude<MediaKind, 'live'> };

/** A shared feed with those who wait for it or watch it. */
type SharedFeed = { readonly feed: LiveFeed; users: number };

/**
 * Live delivery. One relay per viewer, or one per shared stream with all its viewers: the same
 * relay. A feed lives while it has users; the last to leave closes its upstream at once.
 */
export class LiveDelivery {
  readonly #options: LiveDeliveryOptions;
  readonly #shared = new Map<StreamId, SharedFeed>();
  readonly #connections = new Map<ViewerSink, ViewerConnection>();

  constructor(options: LiveDeliveryOptions) {
    this.#options = options;
  }

  /**
   * Waits for the first media bytes of a stream.
   *
   * @param gone - The viewer's leaving, at any time: closes at once what only this viewer used.
   * @throws AppError when no source gave media, or the stream was removed meanwhile.
   */
  async watch(stream: Stream, viewer: ViewerRequest, gone: AbortSignal): Promise<WatchOutcome> {
    const connection = stream.join(viewer, 0);
    const use = this.#use(stream);
    const leave = (reason: string): void => {
      use.release();
      connection.close(reason);
    };
    gone.addEventListener('abort', () => leave('client_disconnected'), { once: true });
    try {
      const start = await orAbort(use.feed.started, AbortSignal.any([gone, connection.ended]));
      if (start.kind !== 'live') {
        stream.learnKind(start.kind);
        leave('redirected');
        return start;
      }
      return this.#viewing(use.feed, connection, { contentType: start.contentType, leave });
    } catch (error) {
      const wasEnded = connection.ended.aborted && !gone.aborted;
      leave(error instanceof AppError ? 'sources_failed' : 'client_disconnected');
      throw wasEnded ? endedWhileWaiting(stream) : error;
    }
  }

  #viewing(
    feed: LiveFeed,
    connection: ViewerConnection,
    { contentType, leave }: { contentType: string; leave: (reason: string) => void },
  ): LiveViewing {
    const flow = async (sink: ViewerSink, gone: AbortSignal): Promise<ViewingEnd> => {
      this.#connections.set(sink, connection);
      feed.attach(sink);
      const end = await firstEnd(feed, connection, gone);
      feed.detach(sink);
      this.#connections.delete(sink);
      leave(LEAVE_REASONS[end]);
      return end;
    };
    return { kind: 'live', clientId: connection.clientId, contentType, flow };
  }

  #use(stream: Stream): { feed: LiveFeed; release: () => void } {
    if (stream.sharing === 'per-client') {
      const feed = this.#newFeed(stream, false);
      return { feed, release: () => feed.close() };
    }
    const shared = this.#shared.get(stream.id) ?? this.#share(stream);
    shared.users += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      shared.users -= 1;
      if (shared.users === 0) this.#unshare(stream.id, shared);
    };
    return { feed: shared.feed, release };
  }

  #share(stream: Stream): SharedFeed {
    const shared: SharedFeed = { feed: this.#newFeed(stream, true), users: 0 };
    this.#shared.set(stream.id, shared);
    // A feed that is over serves nobody who comes later.
    void shared.feed.ended.then(() => this.#unshare(stream.id, shared));
    return shared;
  }

  #unshare(id: StreamId, shared: SharedFeed): void {
    if (this.#shared.get(id) === shared) this.#shared.delete(id);
    shared.feed.close();
  }

  #newFeed(stream: Stream, isShared: boolean): LiveFeed {
    const { upstream, timeouts, stallMs, detection, viewerBufferBytes, clock, timers, logger } =
      this.#options;
    return new LiveFeed({
      stream,
      upstream,
      timeouts,
      stallMs,
      detection,
      budgetBytes: viewerBufferBytes,
      isShared,
      clock,
      timers,
      logger,
      served: (sink, bytes) => this.#connections.get(sink)?.served(bytes),
    });
  }
}

const LEAVE_REASONS = {
  clean: 'stream_ended',
  broken: 'sources_failed',
  gone: 'client_disconnected',
} as const satisfies Record<ViewingEnd, string>;

function firstEnd(
  feed: LiveFeed,
  connection: ViewerConnection,
  gone: AbortSignal,
): Promise<ViewingEnd> {
  return new Promise((resolve) => {
    const on = (signal: AbortSignal, end: ViewingEnd): void => {
      if (signal.aborted) resolve(end);
      else signal.addEventListener('abort', () => resolve(end), { once: true });
    };
    on(gone, 'gone');
    on(connection.ended, 'clean');
    void feed.ended.then((failure) => resolve(failure === undefined ? 'clean' : 'broken'));
  });
}

const endedWhileWaiting = (stream: Stream): AppError =>
  stream.removed.aborted
    ? new NotFoundError('STREAM_GONE', { message: 'The stream was removed while it was awaited.' })
    : new NotAllowedError('VIEWER_KICKED', { message: 'This viewer was disconnected.' });
