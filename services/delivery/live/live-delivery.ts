import { AppError } from '#kernel/app-error';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { StreamId, ClientId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import { orAbort } from '#kernel/or-abort';
import { ThrottledSink, TokenBucket } from '#relay';
import type { ViewerSink } from '#relay';
import { endedViewing } from '#streams';
import type { MediaKind, Stream, ViewerConnection, ViewerRequest } from '#streams';
import { anyConnection, anySpare } from '#upstream';
import type {
  ConnectionAllowance,
  SparePermits,
  UpstreamClient,
  UpstreamTimeouts,
} from '#upstream';
import type { LiveDetection } from './detection.ts';
import { LiveFeed } from './live-feed.ts';
import type { FeedStart } from './live-feed.ts';
import type { LiveFeedOptions } from './live-feed-options.ts';
import type { SlateSettings } from './slate-show.ts';
import type { StandbyMode } from './spare-keeper.ts';
import type { LiveBuffering } from './spliced-relay.ts';
import { LEAVE_REASONS, firstEnd } from './viewing-end.ts';
import type { ViewingEnd } from './viewing-end.ts';

export type LiveDeliveryOptions = {
  readonly upstream: UpstreamClient;
  /** A client for one feed that reads playlists as the media that they lead to; none when absent. */
  readonly playlistReader?: ((stream: Stream) => UpstreamClient) | undefined;
  /** A client for one feed whose sources are pages; undefined for other streams, and none when absent. */
  readonly pageReader?: ((stream: Stream) => UpstreamClient | undefined) | undefined;
  readonly timeouts: UpstreamTimeouts;
  /** A live source that is silent for this long has stalled, whatever its rhythm. */
  readonly stallMs: number;
  readonly detection: LiveDetection;
  /** What is held ready beside the source in use; `cold` when absent. */
  readonly standby?: StandbyMode;
  /** Whether a connection beside the one in use is allowed; always, when absent. */
  readonly permits?: SparePermits;
  /** Where connections beside those in use ask for a place; absent: there are no limits. */
  readonly allowance?: ConnectionAllowance;
  /** What viewers of a live stream see while none of its sources works; nothing when absent. */
  readonly slate?: SlateSettings | undefined;
  /** How far a viewer of a shared stream may fall behind. */
  readonly viewerBufferBytes: number;
  /** A viewer that takes nothing for this long is let go. */
  readonly viewerPatienceMs: number;
  /** What is kept of each stream for its viewers; the last keyframe only, when absent. */
  readonly buffering?: LiveBuffering;
  /** Most that one viewer gets; no limit, when absent or 0. */
  readonly throttleBytesPerSecond?: number;
  /** How long a shared upstream is kept when its last viewer has left. */
  readonly lingerMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** A viewer's live bytes, ready to flow. */
export type LiveViewing = {
  readonly kind: 'live';
  readonly clientId: ClientId;
  readonly contentType: string;
  /** It is a film, and will end. */
  readonly hasEnd: boolean;
  /**
   * Sends bytes to `sink` until the viewer leaves, is ended, or the sources are used up. Resolves
   * with how the response has to end; never rejects.
   */
  flow(sink: ViewerSink, gone: AbortSignal): Promise<ViewingEnd>;
};

/** A feed under way. */
export type LiveTap = {
  /** What it carries, with its first media; rejects when no source gave any. */
  readonly started: Promise<FeedStart>;
  /** When it is over: with the failure, if it was one. */
  readonly ended: Promise<AppError | undefined>;
  attach(sink: ViewerSink): void;
  /** Idempotent. */
  release(): void;
};

/** What `watch` found: bytes, or media that another delivery serves. */
export type WatchOutcome = LiveViewing | { readonly kind: Exclude<MediaKind, 'live'> };

type WalkMaker = LiveFeedOptions['walkOf'];

/** A shared feed with those who wait for it or watch it. */
type SharedFeed = { readonly feed: LiveFeed; users: number; lingering?: Timer | undefined };

/**
 * Live delivery. One relay per viewer, or one per shared stream with all its viewers: the same
 * relay. A feed lives while it has users; the last to leave closes its upstream at once.
 */
export class LiveDelivery {
  readonly #options: LiveDeliveryOptions;
  readonly #shared = new Map<StreamId, SharedFeed>();
  readonly #connections = new Map<ViewerSink, ViewerConnection>();
  readonly #stuck = new Map<ViewerSink, () => void>();

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
      if (use.feed.refusal !== undefined) throw use.feed.refusal;
      return this.#viewing(use.feed, connection, { ...start, leave });
    } catch (error) {
      const wasEnded = connection.ended.aborted && !gone.aborted;
      leave(error instanceof AppError ? 'sources_failed' : 'client_disconnected');
      throw wasEnded ? endedViewing(stream, connection.ended) : error;
    }
  }

  #viewing(
    feed: LiveFeed,
    connection: ViewerConnection,
    { contentType, hasEnd, leave }: Beginning,
  ): LiveViewing {
    const flow = async (outlet: ViewerSink, gone: AbortSignal): Promise<ViewingEnd> => {
      const { sink, close } = this.#throttled(outlet);
      this.#connections.set(sink, connection);
      feed.attach(sink);
      const stuck = new Promise<void>((resolve) => this.#stuck.set(sink, resolve));
      const end = await firstEnd({ feed, connection, gone, stuck });
      feed.detach(sink);
      close();
      this.#connections.delete(sink);
      this.#stuck.delete(sink);
      leave(LEAVE_REASONS[end]);
      return end;
    };
    return { kind: 'live', clientId: connection.clientId, contentType, hasEnd, flow };
  }

  /**
   * The feed of a stream for a reader that is no viewer itself. Of a shared stream it is the one
   * that all its viewers watch. `release` when done.
   *
   * @param walkOf - Makes its way through the sources, where it is not under way already; the
   *   stream's own, when absent.
   */
  tap(stream: Stream, walkOf?: WalkMaker): LiveTap {
    const { feed, release } = this.#use(stream, walkOf);
    return {
      started: feed.started,
      ended: feed.ended,
      attach: (sink) => feed.attach(sink),
      release,
    };
  }

  /** Playlists are read as transport streams. */
  get readsPlaylists(): boolean {
    return this.#options.playlistReader !== undefined;
  }

  #throttled(sink: ViewerSink): { readonly sink: ViewerSink; readonly close: () => void } {
    const { throttleBytesPerSecond: rate = 0, clock, timers } = this.#options;
    if (rate === 0) return { sink, close: () => {} };
    const throttled = new ThrottledSink({ sink, bucket: new TokenBucket(rate, clock), timers });
    return { sink: throttled, close: () => throttled.close() };
  }

  #use(stream: Stream, walkOf?: WalkMaker): { feed: LiveFeed; release: () => void } {
    if (stream.sharing === 'per-client') {
      const feed = this.#newFeed(stream, { isShared: false, walkOf });
      return { feed, release: () => feed.close() };
    }
    const shared = this.#shared.get(stream.id) ?? this.#share(stream, walkOf);
    shared.users += 1;
    shared.lingering?.cancel();
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      shared.users -= 1;
      if (shared.users === 0) this.#linger(stream, shared);
    };
    return { feed: shared.feed, release };
  }

  #share(stream: Stream, walkOf: WalkMaker | undefined): SharedFeed {
    const shared: SharedFeed = {
      feed: this.#newFeed(stream, { isShared: true, walkOf }),
      users: 0,
    };
    this.#shared.set(stream.id, shared);
    // A feed that is over serves nobody who comes later.
    void shared.feed.ended.then(() => this.#unshare(stream.id, shared));
    return shared;
  }

  #linger(stream: Stream, shared: SharedFeed): void {
    const { lingerMs, timers } = this.#options;
    const { removed } = stream;
    const leave = (): void => {
      shared.lingering?.cancel();
      this.#unshare(stream.id, shared);
    };
    if (lingerMs === 0 || removed.aborted) return leave();
    const timer = timers.after(lingerMs, leave, { background: true });
    removed.addEventListener('abort', leave);
    const { allowance = anyConnection } = this.#options;
    const stopYielding = allowance.onWanted(shared.feed.headers, leave);
    const cancel = (): void => {
      timer.cancel();
      stopYielding();
      removed.removeEventListener('abort', leave);
    };
    shared.lingering = { cancel };
  }

  #unshare(id: StreamId, shared: SharedFeed): void {
    if (this.#shared.get(id) === shared) this.#shared.delete(id);
    shared.feed.close();
  }

  #newFeed(
    stream: Stream,
    { isShared, walkOf }: { isShared: boolean; walkOf: WalkMaker | undefined },
  ): LiveFeed {
    const {
      standby = 'cold',
      permits = anySpare,
      allowance = anyConnection,
      buffering = UNBUFFERED,
      ...common
    } = this.#options;
    const { viewerBufferBytes, viewerPatienceMs, playlistReader, pageReader, ...rest } = common;
    return new LiveFeed({
      ...rest,
      upstream: pageReader?.(stream) ?? playlistReader?.(stream) ?? rest.upstream,
      stream,
      standby,
      permits,
      allowance,
      buffering,
      budgetBytes: viewerBufferBytes,
      patienceMs: viewerPatienceMs,
      isShared,
      walkOf: walkOf ?? ((reader) => stream.walk(reader)),
      dropped: (sink) => this.#stuck.get(sink)?.(),
      served: (sink, bytes) => this.#connections.get(sink)?.served(bytes),
    });
  }
}

const UNBUFFERED: LiveBuffering = { burstMs: 0, delayMs: 0, delayBytes: 0 };

type Beginning = Pick<LiveViewing, 'contentType' | 'hasEnd'> & {
  readonly leave: (reason: string) => void;
};
