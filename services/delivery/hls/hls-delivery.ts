import { NotAllowedError } from '#kernel/app-error';
import { createHandleCodec, viaPathway } from '#hls';
import type { HandleCodec, ResourceKind, Target } from '#hls';
import type { Clock, Timers } from '#kernel/clock';
import type { ClientId, StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import type { Logger } from '#kernel/logger';
import type { LowLatencyMode, StreamDirectory, ViewerRequest } from '#streams';
import type { SegmentMemory, SegmentStore } from '#segments';
import { anyConnection } from '#upstream';
import type { ConnectionAllowance, TextClient, UpstreamClient, UpstreamTimeouts } from '#upstream';
import {
  HERE,
  isLinkOf,
  KnownViewers,
  OpenedHandles,
  Presence,
  startPatience,
  viewerSuffix,
  viewingFailure,
} from '#delivery/viewing';
import { DocumentDelivery, isDocument } from './document-delivery.ts';
import { createPlaylistClient } from './playlists/fetch-playlist.ts';
import type { Cutter } from './playlists/handover.ts';
import type { HlsStream } from './playlists/hls-stream.ts';
import type {
  AtHandQuery,
  HlsStats,
  PlaylistAnswer,
  PlaylistQuery,
  SegmentQuery,
  SentAtOnce,
  StreamSegmentCounts,
} from './hls-queries.ts';
import { KnownStreams } from './playlists/known-streams.ts';
import type { NumberStore } from './playlists/number-store.ts';
import type { PlaylistQuestion } from './playlists/playlist-answers.ts';
import type { PostedPlaylist } from './playlists/playlist-board.ts';
import type { PlaylistAsk } from './playlists/playlist-finder.ts';
import { SegmentDelivery } from './segment-answers/segment-delivery.ts';
import type { SegmentAnswer } from './segment-answers/segment-delivery.ts';
import type { SegmentProbe } from './segment-answers/segment-media.ts';
import { SegmentOpener } from './segment-answers/segment-opener.ts';

export type HlsDeliveryOptions = {
  readonly directory: StreamDirectory;
  readonly upstream: UpstreamClient;
  readonly texts: TextClient;
  /** Where segments are kept. Its owner shares it out and forgets it. */
  readonly store: SegmentStore;
  /** Segments fetched ahead of each viewer; 0: none. */
  readonly lookAhead: number;
  /** What is fetched ahead asks here for a place at its provider; absent: there are no limits. */
  readonly allowance?: ConnectionAllowance;
  /** Finds out what segments consist of; nobody does when absent. */
  readonly mediaProbe?: SegmentProbe | undefined;
  /** The same in every process: handles are sealed with it. */
  readonly secret: Buffer | KeyRing;
  /** A viewer is gone when it has not asked for this long, or for three target durations. */
  readonly viewerIdleMs: number;
  /** For each segment; `headersMs` is also what one exchange for a playlist may take in all. */
  readonly timeouts: UpstreamTimeouts;
  /** After decompression. */
  readonly maxPlaylistBytes: number;
  /** How long a viewer waits for a playlist while sources fail. */
  readonly patienceMs: number;
  /** Where a stream does not say. */
  readonly lowLatency: LowLatencyMode;
  /** Streams that do not say keep to where a redirect led; not, when absent. */
  readonly isSticky?: boolean;
  /** For whichever process serves a stream next; nothing is kept when absent. */
  readonly numbers?: NumberStore | undefined;
  /** Cuts sources that are no playlists; nobody does when absent. */
  readonly packaged?: Cutter | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** Kinds that the route of segments does not answer. */
const IS_NO_RESOURCE: ReadonlySet<ResourceKind> = new Set(['playlist', 'pathway', 'folder']);

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';

/**
 * HLS delivery: playlists rewritten so that players come back here, and what they list, passed
 * through. The provider never hears of the viewer, and the viewer never sees a provider's URL.
 */
export class HlsDelivery {
  readonly #options: HlsDeliveryOptions;
  readonly #handles: HandleCodec;
  readonly #opened: OpenedHandles;
  readonly #viewers = new KnownViewers();
  readonly #streams: KnownStreams;
  readonly #segments: SegmentDelivery;
  readonly #documents: DocumentDelivery;

  constructor(options: HlsDeliveryOptions) {
    const { maxPlaylistBytes: maxBytes, timeouts, clock, timers, logger } = options;
    const { store, upstream, texts, lookAhead: aheadCount, allowance = anyConnection } = options;
    this.#options = options;
    this.#handles = createHandleCodec(options.secret);
    this.#opened = new OpenedHandles(this.#handles);
    this.#streams = new KnownStreams({
      client: createPlaylistClient({ texts, maxBytes, timeoutMs: timeouts.headersMs }),
      handles: this.#handles,
      lowLatency: options.lowLatency,
      isSticky: options.isSticky ?? false,
      numbers: options.numbers,
      packaged: options.packaged,
      clock,
      timers,
      logger,
      forgotten: (hls) => this.#segments.forget(hls),
    });
    this.#segments = new SegmentDelivery({
      store,
      opener: new SegmentOpener({ upstream, timeouts }),
      allowance,
      mediaProbe: options.mediaProbe,
      aheadCount,
      clock,
      timers,
      maxStallMs: timeouts.headersMs,
    });
    this.#documents = new DocumentDelivery({
      texts,
      handles: this.#handles,
      timeoutMs: timeouts.headersMs,
    });
  }

  /**
   * The playlist of a stream, or one that an earlier playlist named, written for one viewer.
   *
   * @param asked - `gone` is the viewer's leaving, at any time; looked at where it has to wait.
   * @throws NotFoundError `STREAM_NOT_FOUND` `STREAM_GONE`
   * @throws NotAllowedError `HANDLE_INVALID` `VIEWER_KICKED`
   * @throws UpstreamError, MediaError when no source gives a playlist; an empty one is never given.
   */
  async playlist(
    query: PlaylistQuery,
    asked: { readonly gone: AbortSignal },
  ): Promise<PlaylistAnswer> {
    const { streamId, viewer, directives = '' } = query;
    const stream = await this.#options.directory.open(streamId);
    const target = this.#playlistTarget(query);
    const hls = this.#streams.of(stream);
    const viewing = stream.poll(viewer, hls.idleMs(this.#options.viewerIdleMs));
    const { clientId } = viewing;
    const question = { ask: askOf(target, hls, clientId), directives };
    const fresh = hls.fresh(question);
    const posted = fresh
      ? { loaded: fresh, staleMs: 0 }
      : await this.#awaited(hls, { question, viewer: { ...viewer, clientId } }, asked.gone);
    const { loaded, staleMs } = posted;
    if (!target) hls.rememberShape(clientId, loaded.shape);
    hls.keptBy(clientId, viewing.ended);
    const text = placed(loaded.pieces.join(viewerSuffix(clientId, viewer)), query);
    const { encoding } = loaded;
    const bytes = Buffer.byteLength(text, encoding);
    viewing.served(bytes);
    return { text, encoding, bytes, contentType: PLAYLIST_TYPE, clientId, staleMs };
  }

  /** The viewer is present while it waits. */
  async #awaited(
    hls: HlsStream,
    { question, viewer }: { question: PlaylistQuestion; viewer: ViewerRequest },
    gone: AbortSignal,
  ): Promise<PostedPlaylist> {
    const presence = this.#present(hls, viewer);
    const { ended } = presence;
    const patience = startPatience(this.#options.timers, this.#options.patienceMs);
    try {
      return await hls.load(question, AbortSignal.any([gone, ended, patience.signal]));
    } catch (error) {
      throw viewingFailure(error, { stream: hls.stream, ended, gone });
    } finally {
      patience.end();
      presence.close('playlist_answered');
    }
  }

  /**
   * What a playlist named, from its source. An error of the source about the resource itself is
   * passed on as the answer.
   *
   * @param gone - The viewer's leaving, at any time until the body has been sent.
   * @throws as {@link playlist}; UpstreamError when the source cannot be reached, twice.
   */
  async segment(query: SegmentQuery, gone: AbortSignal): Promise<SegmentAnswer> {
    const { streamId, viewer, handle, ranges, isHead = false, directives = '' } = query;
    const stream = await this.#options.directory.open(streamId);
    const target = this.#open(streamId, handle, (kind) => !IS_NO_RESOURCE.has(kind));
    const hls = this.#streams.of(stream);
    const presence = this.#present(hls, viewer);
    const signal = AbortSignal.any([gone, presence.ended]);
    try {
      if (!isDocument(target)) {
        return await this.#segments.open({ hls, presence, target, ranges, isHead, signal });
      }
      const here = query.here?.() ?? '';
      return await this.#documents.open({ hls, presence, target, directives, here, signal });
    } catch (error) {
      presence.close('segment_failed');
      throw viewingFailure(error, { stream, ended: presence.ended, gone });
    }
  }

  /** This process serves a stream from now on; another may have done so before. */
  takeUp(streamId: StreamId): void {
    this.#streams.find(streamId)?.takeUp();
  }

  /** What the segments of all streams take in memory and on disk. */
  get memory(): SegmentMemory {
    return this.#options.store.snapshot;
  }

  /** How a stream's segments were answered; nothing for one that nobody has asked for of late. */
  countsOf(streamId: StreamId): StreamSegmentCounts | undefined {
    const hls = this.#streams.find(streamId);
    if (!hls) return undefined;
    const { counter } = this.#segments.segmentsOf(hls);
    return { stream: counter.all, viewer: (clientId) => counter.of(clientId) };
  }

  /** What was done for a stream; nothing for one that nobody has asked for of late. */
  statsOf(streamId: StreamId): HlsStats | undefined {
    const hls = this.#streams.find(streamId);
    const counts = this.countsOf(streamId);
    return hls && counts && { ...counts, playlists: hls.playlistCounts, health: hls.health };
  }

  /**
   * A whole segment that is in memory, for a viewer who has been let in: what {@link segment} would
   * give, without a wait. Nothing where anything is in doubt: then `segment` is to be asked.
   */
  atHand(query: AtHandQuery): SentAtOnce | undefined {
    const { streamId, clientId, handle } = query;
    const viewer = this.#viewers.find(streamId, clientId);
    const hls = viewer && this.#streams.find(streamId);
    if (!hls || !isLinkOf(viewer, query)) return undefined;
    const target = this.#openOrNot(streamId, handle);
    const found = target && this.#segments.atHand(hls, target, clientId);
    if (!found) return undefined;
    const connection = hls.stream.poll(viewer, hls.idleMs(this.#options.viewerIdleMs));
    connection.served(found.bytes.length);
    if (target.kind === 'segment') connection.segmentServed();
    return { ...found, ended: connection.ended, stay: () => this.#staying(hls, viewer) };
  }

  #staying(hls: HlsStream, viewer: ViewerRequest): () => void {
    const presence = this.#present(hls, viewer);
    return () => presence.close('segment_served');
  }

  #openOrNot(streamId: StreamId, handle: string): Target | undefined {
    try {
      return this.#opened.open(streamId, handle);
    } catch {
      return undefined; // Whoever answers in our place says why.
    }
  }

  #playlistTarget({ streamId, handle, pathway }: PlaylistQuery): Target | undefined {
    if (handle === undefined) return undefined;
    const target = this.#open(streamId, handle, (kind) => kind === 'playlist');
    if (pathway === undefined) return target;
    return viaPathway(
      target,
      this.#open(streamId, pathway, (kind) => kind === 'pathway'),
    );
  }

  /** A handle opens only where its like is written. */
  #open(streamId: StreamId, handle: string, isDue: (kind: ResourceKind) => boolean): Target {
    const target = this.#opened.open(streamId, handle);
    if (isDue(target.kind)) return target;
    throw new NotAllowedError('HANDLE_INVALID', { message: 'The link leads to another kind.' });
  }

  #present(hls: HlsStream, viewer: ViewerRequest): Presence {
    const { viewerIdleMs, timers } = this.#options;
    const { stream } = hls;
    const idleMs = (): number => hls.idleMs(viewerIdleMs);
    const presence = new Presence({ stream, viewer, idleMs, timers });
    const { clientId, ended } = presence;
    this.#viewers.seen(stream.id, { ...viewer, clientId }, ended);
    return presence;
  }
}

/** Few playlists have links that must be absolute. */
const placed = (text: string, { here = () => '' }: PlaylistQuery): string =>
  text.includes(HERE) ? text.replaceAll(HERE, here) : text;

const askOf = (target: Target | undefined, hls: HlsStream, viewer: ClientId): PlaylistAsk =>
  target ? { kind: 'child', target } : { kind: 'entry', wants: hls.shapeFor(viewer) };
