import { KnownStreams, SegmentDelivery, SegmentOpener, createPlaylistClient } from '#delivery/hls';
import { OpenedHandles, Presence, startPatience, viewingFailure } from '#delivery/viewing';
import type { HlsStream, SegmentAnswer } from '#delivery/hls';
import { createHandleCodec } from '#hls';
import type { HandleCodec, Target } from '#hls';
import { NotAllowedError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { ClientId, StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import type { Logger } from '#kernel/logger';
import type { RangeRequest, SegmentStore } from '#segments';
import type { StreamDirectory, ViewerRequest } from '#streams';
import { anyConnection } from '#upstream';
import type { ConnectionAllowance, TextClient, UpstreamClient, UpstreamTimeouts } from '#upstream';
import { manifestFor } from './viewer-manifest.ts';
import { below } from './manifest-links.ts';
import { ManifestLoader } from './manifest-loader.ts';
import type { LoadedManifest } from './manifest-loader.ts';
import { withDashType } from './segment-type.ts';

export type DashDeliveryOptions = {
  readonly directory: StreamDirectory;
  readonly upstream: UpstreamClient;
  readonly texts: TextClient;
  /** Where segments are kept. Its owner shares it out and forgets it. */
  readonly store: SegmentStore;
  /** What is fetched ahead asks here for a place at its provider; absent: there are no limits. */
  readonly allowance?: ConnectionAllowance;
  /** The same in every process: handles are sealed with it. */
  readonly secret: Buffer | KeyRing;
  /** A viewer is gone when it has not asked for this long. */
  readonly viewerIdleMs: number;
  readonly timeouts: UpstreamTimeouts;
  /** After decompression. */
  readonly maxPlaylistBytes: number;
  /** How long a viewer waits for a manifest while sources fail. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

export type ManifestQuery = {
  readonly streamId: StreamId;
  readonly viewer: ViewerRequest;
  /** Absolute URL of the folder that our links stand in, or its path where no more is known. */
  readonly here: () => string;
};

export type ManifestAnswer = {
  readonly text: string;
  readonly encoding: 'utf8' | 'latin1';
  readonly bytes: number;
  readonly clientId: ClientId;
};

export type DashSegmentQuery = {
  readonly streamId: StreamId;
  readonly viewer: ViewerRequest;
  readonly handle: string;
  /** What the player has added to a folder's link, encoded, with its query; absent for a file. */
  readonly path?: string;
  readonly ranges: RangeRequest;
  readonly isHead: boolean;
};

/** DASH delivery: manifests rewritten so that players come back here, and what they name. */
export class DashDelivery {
  readonly #options: DashDeliveryOptions;
  readonly #handles: HandleCodec;
  readonly #opened: OpenedHandles;
  readonly #streams: KnownStreams;
  readonly #segments: SegmentDelivery;
  readonly #loaders = new WeakMap<HlsStream, ManifestLoader>();

  constructor(options: DashDeliveryOptions) {
    const { timeouts, maxPlaylistBytes: maxBytes, upstream, texts } = options;
    const { allowance = anyConnection } = options;
    this.#options = options;
    this.#handles = createHandleCodec(options.secret);
    this.#opened = new OpenedHandles(this.#handles);
    const timeoutMs = timeouts.headersMs;
    this.#streams = new KnownStreams({
      ...options,
      client: createPlaylistClient({ texts, maxBytes, timeoutMs }),
      handles: this.#handles,
      lowLatency: 'strip',
      forgotten: (known) => this.#segments.forget(known),
    });
    this.#segments = new SegmentDelivery({
      ...options,
      opener: new SegmentOpener({ upstream, timeouts }),
      allowance,
      aheadCount: 0,
      maxStallMs: timeoutMs,
    });
  }

  /**
   * The manifest of a stream, written for one viewer.
   *
   * @throws NotFoundError `STREAM_NOT_FOUND` `STREAM_GONE`
   * @throws NotAllowedError `VIEWER_KICKED`
   * @throws UpstreamError, MediaError when no source gives a manifest.
   */
  async manifest(query: ManifestQuery, gone: AbortSignal): Promise<ManifestAnswer> {
    const stream = await this.#options.directory.open(query.streamId);
    const known = this.#streams.of(stream);
    const presence = this.#present(known, query.viewer);
    try {
      const loaded = await this.#load(known, { gone, ended: presence.ended });
      const { clientId } = presence;
      const text = manifestFor(loaded.pieces, { here: query.here(), clientId, ...query.viewer });
      const bytes = Buffer.byteLength(text, loaded.encoding);
      presence.served(bytes);
      return { text, encoding: loaded.encoding, bytes, clientId };
    } finally {
      presence.close('manifest_answered');
    }
  }

  async #load(
    known: HlsStream,
    { gone, ended }: { readonly gone: AbortSignal; readonly ended: AbortSignal },
  ): Promise<LoadedManifest> {
    const patience = startPatience(this.#options.timers, this.#options.patienceMs);
    try {
      const signal = AbortSignal.any([gone, ended, patience.signal]);
      return await this.#loaderOf(known).load(signal);
    } catch (error) {
      throw viewingFailure(error, { stream: known.stream, ended, gone });
    } finally {
      patience.end();
    }
  }

  /**
   * What a manifest leads to. An error of the source about it is passed on as the answer.
   *
   * @param gone - The viewer's leaving, at any time until the body has been sent.
   * @throws as {@link manifest}; NotAllowedError `HANDLE_INVALID`.
   */
  async segment(query: DashSegmentQuery, gone: AbortSignal): Promise<SegmentAnswer> {
    const { streamId, viewer, ranges, isHead } = query;
    const stream = await this.#options.directory.open(streamId);
    const target = this.#target(query);
    const hls = this.#streams.of(stream);
    const presence = this.#present(hls, viewer);
    const signal = AbortSignal.any([gone, presence.ended]);
    const exchange = { hls, presence, target, ranges, isHead, signal };
    try {
      const answer = await this.#segments.open(exchange);
      return { ...answer, headers: withDashType(answer.headers, target.url) };
    } catch (error) {
      presence.close('segment_failed');
      throw viewingFailure(error, { stream, ended: presence.ended, gone });
    }
  }

  #target({ streamId, handle, path }: DashSegmentQuery): Target {
    const opened = this.#opened.open(streamId, handle);
    const isDue = opened.kind === (path === undefined ? 'segment' : 'folder');
    const url = path === undefined ? opened.url : below(opened.url, path);
    if (isDue && url !== undefined) return { kind: 'segment', url, source: opened.source };
    throw new NotAllowedError('HANDLE_INVALID', { message: 'The link leads to something else.' });
  }

  #loaderOf(known: HlsStream): ManifestLoader {
    const { clock, maxPlaylistBytes: maxBytes, timeouts, texts } = this.#options;
    const existing = this.#loaders.get(known);
    if (existing) return existing;
    const shared = { texts, handles: this.#handles, clock, maxBytes };
    const { stream } = known;
    const loader = new ManifestLoader({ ...shared, stream, timeoutMs: timeouts.headersMs });
    this.#loaders.set(known, loader);
    return loader;
  }

  #present(known: HlsStream, viewer: ViewerRequest): Presence {
    const { viewerIdleMs, timers } = this.#options;
    const idleMs = (): number => known.idleMs(viewerIdleMs);
    return new Presence({ stream: known.stream, viewer, idleMs, timers });
  }
}
