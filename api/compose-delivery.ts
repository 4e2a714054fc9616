import type { Redis } from 'ioredis';
import type { Config } from '#config';
import { HlsInput } from '#conversion';
import {
  DashDelivery,
  HlsDelivery,
  HlsOutput,
  LiveDelivery,
  LoopLag,
  PackagedDelivery,
  VodDelivery,
  createPlaylistClient,
} from '#delivery';
import type { MediaProbe, SlateSettings, WalkMaker } from '#delivery';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Clock, Timers } from '#kernel/clock';
import type { NodeEpoch } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import type { Logger } from '#kernel/logger';
import type { TranscodeDelivery } from '#runs';
import type { SegmentStore } from '#segments';
import type { Stream, StreamDirectory } from '#streams';
import { SpareLedger } from '#upstream';
import type { ConnectionAllowance, TextClient, UpstreamClient, UpstreamTimeouts } from '#upstream';
import { FfmpegRemuxer } from '#adapters/ffmpeg/remuxer';
import { FfmpegSilenceProbe } from '#adapters/ffmpeg/silence-probe';
import { redisNumberStore } from '#adapters/redis/number-store';
import { composeResolvers } from './compose-resolvers.ts';
import { composeTranscoding } from './compose-transcoding.ts';
import { mediaProbeOf } from './compose-programs.ts';
import { ownersOf } from './compose-owners.ts';
import type { PeerDoor } from './internal/peer-door.ts';
import { dashHandlers, dashRoutes } from './routes/dash.routes.ts';
import { hlsHandlers } from './routes/hls.routes.ts';
import { playbackRoutes } from './routes/playback.routes.ts';

export type DeliveryParts = {
  readonly config: Config;
  readonly registry: StreamDirectory;
  /** One client for bytes for each kind of delivery: what is read is counted apart. */
  readonly clients: {
    readonly bytes: Readonly<Record<'live' | 'hls' | 'vod', UpstreamClient>>;
    readonly texts: TextClient;
    readonly allowance: ConnectionAllowance;
  };
  readonly segments: { readonly store: SegmentStore };
  readonly secret: KeyRing;
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly slate: SlateSettings | undefined;
  readonly peerDoor: PeerDoor;
  readonly node: NodeEpoch;
  readonly logger: Logger;
};

/** Builds the deliveries; gives the route for players of bytes, and what answers those of playlists. */
export async function deliveryOf(parts: DeliveryParts) {
  const { config, registry, clients, slate, logger } = parts;
  const { connectTimeoutMs: connectMs, readTimeoutMs: headersMs, liveStallMs } = config.upstream;
  const common = {
    directory: registry,
    timeouts: { connectMs, headersMs },
    clock: systemClock,
    timers: systemTimers,
    logger,
  };
  const { viewerBufferBytes, viewerPatienceMs, lingerMs } = config;
  const { allowance } = clients;
  const viewers = { viewerBufferBytes, viewerPatienceMs, lingerMs, allowance };
  const silenceProbe = new FfmpegSilenceProbe({ program: config.ffmpegPath, logger });
  const lag = new LoopLag(systemClock, systemTimers);
  const looking = mediaProbeOf(config, logger);
  const probes = { silenceProbe, ...looking };
  const detection = { settings: config.detection, lag, ...probes };
  const { liveBytesPerSecond: throttleBytesPerSecond, live: buffering } = config.pacing;
  const resolvers = await composeResolvers(parts);
  const judged = { buffering, stallMs: liveStallMs, detection, standby: config.upstream.standby };
  const live = new LiveDelivery({
    ...common,
    ...viewers,
    ...judged,
    permits: new SpareLedger(systemClock),
    slate,
    playlistReader: playlistReaderOf(parts),
    pageReader: resolvers.pageReader,
    throttleBytesPerSecond,
    upstream: clients.bytes.live,
  });
  const vod = new VodDelivery({
    ...common,
    upstream: clients.bytes.vod,
    readTimeoutMs: headersMs,
    pacing: config.pacing.files,
  });
  const transcoding = await composeTranscoding({ ...parts, live, vod, viewers, resolvers });
  const { transcodes } = transcoding;
  const close = (): Promise<void> => closeAll([() => transcoding.close(), () => resolvers.close()]);
  const { hls, rewritten, dash } = hlsOf(parts, { ...common, ...looking, live, transcodes });
  const playback = playbackRoutes({ directory: registry, live, vod, transcodes });
  const { secret, apiUrl } = transcoding;
  const owners = ownersOf({ ...parts, secret, apiUrl, rewritten });
  const handlers = owners.owned(hlsHandlers({ hls }));
  const manifests = dashRoutes(owners.owned(dashHandlers(dash)));
  const withResolvers = { ...transcoding, close };
  return { playback, hls: rewritten, handlers, manifests, owners, transcoding: withResolvers };
}

type Common = {
  readonly directory: StreamDirectory;
  readonly timeouts: UpstreamTimeouts;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly live: LiveDelivery;
  readonly transcodes: TranscodeDelivery;
  /** Finds out what segments consist of. */
  readonly mediaProbe?: MediaProbe;
};

/** Playlists of sources, and those of segments that are cut here. */
function hlsOf(parts: DeliveryParts, { live, transcodes, ...common }: Common) {
  const { config, clients, segments, secret, redis, node } = parts;
  const { connectMs, headersMs } = common.timeouts;
  const viewers = {
    viewerIdleMs: config.streams.viewerIdleMs,
    patienceMs: connectMs + headersMs,
  };
  const fetching = {
    ...common,
    ...viewers,
    secret,
    upstream: clients.bytes.hls,
    texts: clients.texts,
    store: segments.store,
    allowance: clients.allowance,
    maxPlaylistBytes: config.upstream.maxPlaylistBytes,
  };
  const dash = new DashDelivery(fetching);
  const { hlsFromTs, segmentMs, segmentBytes } = config.conversion;
  const tap = (stream: Stream, walkOf?: WalkMaker) =>
    stream.transcode === undefined ? live.tap(stream, walkOf) : transcodes.tap(stream);
  const cutting = { ...common, ...viewers, secret, tap, segmentMs, segmentBytes };
  const packaged = hlsFromTs ? new PackagedDelivery(cutting) : undefined;
  const rewritten = new HlsDelivery({
    ...fetching,
    lookAhead: config.segments.lookAhead,
    lowLatency: config.streams.lowLatency,
    isSticky: config.streams.isSticky,
    packaged,
    numbers: redisNumberStore(redis, config.redis.prefix, node),
  });
  const directory = transcodes.directory(common.directory);
  return { rewritten, dash, hls: new HlsOutput({ directory, rewritten, packaged }) };
}

/** Reads playlists as the transport streams that they carry; undefined where that is off. */
function playlistReaderOf({
  config,
  clients,
  logger,
}: Pick<DeliveryParts, 'config' | 'clients' | 'logger'>) {
  const { tsFromHls } = config.conversion;
  if (tsFromHls === 'off') return undefined;
  const { readTimeoutMs: timeoutMs, maxPlaylistBytes: maxBytes } = config.upstream;
  const fetch = createPlaylistClient({ texts: clients.texts, maxBytes, timeoutMs });
  const remuxer = new FfmpegRemuxer({ program: config.ffmpegPath, logger });
  return (stream: Stream) =>
    new HlsInput({
      upstream: clients.bytes.live,
      fetch,
      remuxer,
      converts: tsFromHls,
      isSticky: stream.options.useStickySession ?? config.streams.isSticky,
      clock: systemClock,
      timers: systemTimers,
      found: (url) => stream.learnKind('hls', url),
    });
}
