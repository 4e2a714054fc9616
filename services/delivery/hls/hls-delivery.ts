import { NotAllowedError } from '#kernel/app-error';
import { createHandleCodec, viaPathway } from '#hls';
import type { HandleCodec, ResourceKind, Target } from '#hls';
import type { Clock, Timers } from '#kernel/clock';
import type { ClientId, StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { StreamDirectory, ViewerRequest } from '#streams';
import type { RangeRequest, SegmentMemory, SegmentStore } from '#segments';
import { anyFetch } from '#upstream';
import type { FetchAllowance, TextClient, UpstreamClient, UpstreamTimeouts } from '#upstream';
import { HERE, viewerSuffix } from './child-urls.ts';
import { DocumentDelivery, isDocument } from './document-delivery.ts';
import { createPlaylistFetcher } from './fetch-playlist.ts';
import type { HlsStream } from './hls-stream.ts';
import { KnownStreams } from './known-streams.ts';
import { KnownViewers } from './known-viewers.ts';
import { OpenedHandles } from './opened-handles.ts';
import { startPatience } from './patience.ts';
import { permittedTexts } from './permitted-texts.ts';
import type { PlaylistAsk } from './playlist-finder.ts';
import { Presence } from './presence.ts';
import { SegmentDelivery } from './segment-delivery.ts';
import type { SegmentAnswer, SegmentAtHand } from './segment-delivery.ts';
import type { SegmentCounts } from './segment-counts.ts';
import { SegmentOpener } from './segment-opener.ts';
import { viewingFailure } from './viewing-failure.ts';

export type HlsDeliveryOptions = {
  readonly directory: StreamDirectory;
  readonly upstream: UpstreamClient;
  readonly texts: TextClient;
  /** Where segments are kept. Its owner shares it out and forgets it. */
  readonly store: SegmentStore;
  /** Segments fetched ahead of each viewer; 0: none. */
  readonly lookAhead: number;
  /** How many requests a provider takes at once; absent: any number. */
  readonly allowance?: FetchAllowance;
  /** At least 32 random bytes, the same in every process: handles are sealed with it. */
  readonly secret: Buffer;
  /** A viewer is gone when it has not asked for this long, or for three target durations. */
  readonly viewerIdleMs: number;
  /** For each segment; `headersMs` is also what one exchange for a playlist may take in all. */
  readonly timeouts: UpstreamTimeouts;
  /** After decompression. */
  readonly maxPlaylistBytes: number;
  /** How long a viewer waits for a playlist while sources fail. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

export type PlaylistQuery = {
  readonly streamId: StreamId;
  readonly viewer: ViewerRequest;
  /** Absent: the stream's own playlist. */
  readonly handle?: string | undefined;
  /** The low-latency part of the query (`_HLS_msn=…&_HLS_part=…`). */
  readonly directives?: string;
  /** The cloned pathway that the player steers by (`via`): a handle from a steering manifest. */
  readonly pathway?: string | undefined;
  /** Absolute URL of the folder that our links stand in; where absent, all are relative. */
  readonly here?: string;
};

export type PlaylistAnswer = {
  readonly body: Buffer;
  readonly contentType: string;
  readonly clientId: ClientId;
};

export type SegmentQuery = {
  readonly streamId: StreamId;
  readonly viewer: ViewerRequest;
  readonly handle: string;
  readonly ranges: RangeRequest;
  /** HEAD: the answer has no body, and none is fetched where the source says enough without. */
  readonly isHead?: boolean;
  /** What the player tells the server of a JSON document (`_HLS_pathway=…`), as a query. */
  readonly directives?: string;
  /** Absolute URL of the folder that our links stand in; where absent, all are relative. */
  readonly here?: string;
};

export type AtHandQuery = {
  readonly streamId: StreamId;
  readonly clientId: ClientId;
  readonly handle: string;
};

/** Bytes to be sent at once, with status 200. */
export type SentAtOnce = SegmentAtHand & {
  /** Aborts when the viewer is ended: what has not been sent by then is not. */
  readonly ended: AbortSignal;
};

/** How the segments of one stream were answered. */
export type StreamSegmentCounts = {
  readonly stream: SegmentCounts;
  readonly viewer: (clientId: ClientId) => SegmentCounts;
};

/** Kinds that the route of segments does not answer. */
const IS_NO_RESOURCE: ReadonlySet<ResourceKind> = new Set(['playlist', 'pathway']);

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
    const { store, upstream, lookAhead: aheadCount, allowance = anyFetch } = options;
    const texts = permittedTexts(options.texts, allowance);
    this.#options = options;
    this.#handles = createHandleCodec(options.secret);
    this.#opened = new OpenedHandles(this.#handles);
    this.#streams = new KnownStreams({
      fetch: createPlaylistFetcher({ texts, maxBytes, timeoutMs: timeouts.headersMs }),
      handles: this.#handles,
      clock,
      timers,
      logger,
      forgotten: (hls) => this.#segments.forget(hls),
    });
    this.#segments = new SegmentDelivery({
      store,
      opener: new SegmentOpener({ upstream, timeouts, allowance }),
      allowance,
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
   * @param gone - The viewer's leaving, at any time.
   * @throws NotFoundError `STREAM_NOT_FOUND` `STREAM_GONE`
   * @throws NotAllowedError `HANDLE_INVALID` `VIEWER_KICKED`
   * @throws UpstreamError, MediaError when no source gives a playlist; an empty one is never given.
   */
  async playlist(query: PlaylistQuery, gone: AbortSignal): Promise<PlaylistAnswer> {
    const { streamId, viewer, directives = '', here = '' } = query;
    const stream = await this.#options.directory.open(streamId);
    const target = this.#playlistTarget(query);
    const hls = this.#streams.of(stream);
    const presence = this.#present(hls, viewer);
    const patience = startPatience(this.#options.timers, this.#options.patienceMs);
    try {
      const { clientId, ended } = presence;
      const signal = AbortSignal.any([gone, ended, patience.signal]);
      const loaded = await hls.load({ ask: askOf(target, hls, clientId), directives }, signal);
      if (!target) hls.rememberShape(clientId, loaded.shape);
      const text = loaded.pieces.join(viewerSuffix(clientId)).replaceAll(HERE, () => here);
      const body = Buffer.from(text, loaded.encoding);
      presence.served(body.length);
      return { body, contentType: PLAYLIST_TYPE, clientId };
    } catch (error) {
      throw viewingFailure(error, { stream, ended: presence.ended, gone });
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
    const { streamId, viewer, handle, ranges, isHead = false } = query;
    const { directives = '', here = '' } = query;
    const stream = await this.#options.directory.open(streamId);
    const target = this.#open(streamId, handle, (kind) => !IS_NO_RESOURCE.has(kind));
    const hls = this.#streams.of(stream);
    const presence = this.#present(hls, viewer);
    const signal = AbortSignal.any([gone, presence.ended]);
    try {
      if (!isDocument(target)) {
        return await this.#segments.open({ hls, presence, target, ranges, isHead, signal });
      }
      return await this.#documents.open({ hls, presence, target, directives, here, signal });
    } catch (error) {
      presence.close('segment_failed');
      throw viewingFailure(error, { stream, ended: presence.ended, gone });
    }
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

  /**
   * A whole segment that is in memory, for a viewer who has been let in: what {@link segment} would
   * give, without a wait. Nothing where anything is in doubt: then `segment` is to be asked.
   */
  atHand(query: AtHandQuery): SentAtOnce | undefined {
    const { streamId, clientId, handle } = query;
    const viewer = this.#viewers.find(streamId, clientId);
    const hls = viewer && this.#streams.find(streamId);
    if (!hls) return undefined;
    const target = this.#openOrNot(streamId, handle);
    const found = target && this.#segments.atHand(hls, target, clientId);
    if (!found) return undefined;
    const connection = hls.stream.poll(viewer, hls.idleMs(this.#options.viewerIdleMs));
    connection.served(found.bytes.length);
    if (target.kind === 'segment') connection.segmentServed();
    return { ...found, ended: connection.ended };
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
    const presence = new Presence({ stream, viewer, idleMs: hls.idleMs(viewerIdleMs), timers });
    const { clientId, ended } = presence;
    this.#viewers.seen(stream.id, { ...viewer, clientId }, ended);
    return presence;
  }
}

const askOf = (target: Target | undefined, hls: HlsStream, viewer: ClientId): PlaylistAsk =>
  target ? { kind: 'child', target } : { kind: 'entry', wants: hls.shapeFor(viewer) };
