import { join } from 'node:path';
import packageInfo from '#package' with { type: 'json' };
import type { Config } from '#config';
import { HlsDelivery, LiveDelivery, SlateLibrary, VodDelivery } from '#delivery';
import type { SlateSettings } from '#delivery';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import { newNodeEpoch } from '#kernel/ids';
import type { NodeEpoch } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { RunningProcess } from '#lifecycle';
import { StreamRegistry } from '#streams';
import { BullRunQueue } from '#adapters/bullmq/run-queue';
import { Webhooks, createDeliver } from '#webhooks';
import { FfmpegSilenceProbe } from '#adapters/ffmpeg/silence-probe';
import { createSlateMaker } from '#adapters/ffmpeg/slate-maker';
import { ffmpegVersion } from '#adapters/ffmpeg/version';
import { slateFilesIn } from '#adapters/fs/slate-files';
import { AxiosFailoverResolver } from '#adapters/http/failover-resolver';
import { AxiosProbe } from '#adapters/http/probe';
import { createTextClient } from '#adapters/http/text-client';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { AxiosWebhookClient } from '#adapters/http/webhook-client';
import { awaitRedis } from '#adapters/redis/await-redis';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { openRedis } from '#adapters/redis/connection';
import { redisEndpointStore } from '#adapters/redis/endpoint-store';
import { NodeHeartbeat } from '#adapters/redis/heartbeat';
import { redisProfileStore } from '#adapters/redis/profile-store';
import { loadSecret } from '#adapters/redis/secret';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import { RedisStreamStore } from '#adapters/redis/stream-store';
import { redisWorkerBoard } from '#adapters/redis/worker-board';
import { readApiDocument } from './api-document.ts';
import { createApp } from './app.ts';
import { openTranscoding } from './internal/transcoding.ts';
import { listen } from './listen.ts';
import { hlsRoutes } from './routes/hls.routes.ts';
import { playbackRoutes } from './routes/playback.routes.ts';

const REDIS_DEADLINE_MS = 15_000;

/** Builds the api process: everything it has is made here, and closed here in reverse. */
export async function composeApi(config: Config, logger: Logger): Promise<RunningProcess> {
  const node = newNodeEpoch();
  const about = readAbout(config, node);
  const state = await openState({ config, logger, node });
  const clients = openClients(config);
  const slates = openSlates(config, logger);
  const registry = new StreamRegistry({
    ...state,
    resolver: clients.resolver,
    defaults: defaultsOf(config),
    node,
    clock: systemClock,
    timers: systemTimers,
    logger,
  });
  await registry.load();
  const { routes, transcoding } = await deliveryOf({
    config,
    registry,
    clients,
    state,
    slate: slates.settings,
    logger,
  });
  const app = createApp({
    streams: registry,
    webhooks: webhooksOf(state, clients),
    probe: clients.probe,
    about: await about,
    readiness: () => ({ redis: state.redis.status === 'ready' ? 'ok' : 'away' }),
    settings: settingsOf(config),
    apiDocument: readApiDocument(),
    delivery: routes,
    transcoding: {
      profiles: state.profiles,
      board: state.board,
      trustsTemplates: config.transcode.trustsTemplates,
      runsOf: (id) => transcoding.desk.runsOf(id),
    },
    clock: systemClock,
    logger,
  });
  const listening = await listen(app, config);
  // Nothing new is taken; then every viewer is let go, which ends the answers under way.
  const drain = (): Promise<void> => {
    const drained = listening.close();
    registry.close();
    return drained;
  };
  return {
    ready: { host: listening.host, port: listening.port },
    close: () =>
      closeAll([
        slates.close,
        drain,
        () => transcoding.close(),
        () => state.close(),
        () => clients.close(),
      ]),
  };
}

type StateOptions = {
  readonly config: Config;
  readonly logger: Logger;
  readonly node: NodeEpoch;
};

/** Redis, and all that stands on it. */
async function openState({ config, logger, node }: StateOptions) {
  const { prefix, url = `unix://${join(config.dataDir, 'redis', 'redis.sock')}` } = config.redis;
  const redis = openRedis({ url, role: 'api', logger });
  const subscriber = openRedis({ url, role: 'api-changes', use: 'subscriber', logger });
  await awaitRedis(redis, { deadlineMs: REDIS_DEADLINE_MS, logger });
  const changes = new ChangeFeed({ redis: subscriber, prefix, origin: node, logger });
  const store = new RedisStreamStore({ redis, prefix, changes, logger });
  const { eventLogMax } = config;
  const journal = new RedisStateJournal({ redis, prefix, origin: node, eventLogMax, logger });
  const heartbeat = new NodeHeartbeat({ redis, prefix, epoch: node });
  const endpoints = redisEndpointStore(redis, prefix);
  const secret = await loadSecret(redis, prefix);
  const runs = new BullRunQueue({ redis, prefix, logger });
  const board = redisWorkerBoard(redis, prefix);
  const profiles = redisProfileStore(redis, prefix);
  const disconnect = (): void => {
    subscriber.disconnect();
    redis.disconnect();
  };
  // The journal goes first: the last viewers' leaving is still in it.
  const close = (): Promise<void> =>
    closeAll([
      () => runs.close(),
      () => journal.close(),
      () => store.close(),
      () => heartbeat.close(),
      () => changes.close(),
      disconnect,
    ]);
  return { redis, store, journal, endpoints, secret, runs, board, profiles, close };
}

/** Everything that speaks to sources and apps. */
function openClients({ upstream }: Config) {
  const { allowPrivate, verifyTls, maxRedirects } = upstream;
  // Apps live beside us: the setting about private addresses is for sources.
  const callbacks = { allowPrivate: true, verifyTls };
  const resolver = new AxiosFailoverResolver(callbacks);
  const probe = new AxiosProbe(callbacks);
  const webhooks = new AxiosWebhookClient(callbacks);
  const bytes = createUpstreamClient({ allowPrivate, verifyTls, maxRedirects });
  const texts = createTextClient({ allowPrivate, verifyTls, maxRedirects });
  const close = (): Promise<void> =>
    closeAll([resolver, probe, webhooks, texts].map((client) => () => client.close()));
  return { resolver, probe, webhooks, bytes, texts, close };
}

/** Loaded beside the start: until then, and where there is nothing to load, there are no slates. */
function openSlates({ slates, ffmpegPath }: Config, logger: Logger) {
  const ending = new AbortController();
  const close = (): void => ending.abort();
  const { isOn, folder, builtInFolder, ...when } = slates;
  if (!isOn) return { settings: undefined, close };
  const library = new SlateLibrary({
    ...(folder === undefined ? {} : { files: slateFilesIn(folder) }),
    maker: createSlateMaker({ program: ffmpegPath, folder: builtInFolder, logger }),
    logger,
  });
  void library.load(ending.signal);
  return { settings: { ...when, slates: library }, close };
}

type State = Awaited<ReturnType<typeof openState>>;
type Clients = ReturnType<typeof openClients>;

function webhooksOf({ endpoints }: State, { webhooks: client }: Clients): Webhooks {
  const deliver = createDeliver({ client, version: packageInfo.version, clock: systemClock });
  return new Webhooks({ endpoints, deliver, clock: systemClock });
}

type DeliveryParts = {
  readonly config: Config;
  readonly registry: StreamRegistry;
  readonly clients: Clients;
  readonly state: State;
  readonly slate: SlateSettings | undefined;
  readonly logger: Logger;
};

/** Routes for players. */
async function deliveryOf({ config, registry, clients, state, slate, logger }: DeliveryParts) {
  const { connectTimeoutMs: connectMs, readTimeoutMs: headersMs, liveStallMs } = config.upstream;
  const common = {
    directory: registry,
    upstream: clients.bytes,
    timeouts: { connectMs, headersMs },
    clock: systemClock,
    timers: systemTimers,
    logger,
  };
  const { viewerBufferBytes, viewerPatienceMs, lingerMs } = config;
  const viewers = { viewerBufferBytes, viewerPatienceMs, lingerMs };
  const { standby } = config.upstream;
  const silenceProbe = new FfmpegSilenceProbe({ program: config.ffmpegPath, logger });
  const detection = { settings: config.detection, silenceProbe };
  const judged = { stallMs: liveStallMs, detection, standby };
  const live = new LiveDelivery({ ...common, ...viewers, ...judged, slate });
  const hls = new HlsDelivery({
    ...common,
    texts: clients.texts,
    secret: state.secret,
    viewerIdleMs: config.streams.viewerIdleMs,
    maxPlaylistBytes: config.upstream.maxPlaylistBytes,
    patienceMs: connectMs + headersMs,
  });
  const vod = new VodDelivery({ ...common, readTimeoutMs: headersMs });
  const transcoding = await openTranscoding({
    queue: state.runs,
    board: state.board,
    live,
    vod,
    common: { ...common, ...viewers },
    settings: config.transcode,
    secret: state.secret,
  });
  const transcodes = transcoding.delivery;
  const routes = [
    playbackRoutes({ directory: registry, live, vod, transcodes }),
    hlsRoutes({ hls }),
  ];
  return { routes, transcoding };
}

const defaultsOf = ({ streams, upstream }: Config) => ({
  userAgent: upstream.userAgent,
  sharing: streams.sharing,
  retry: upstream,
  failbackAfterMs: upstream.failbackAfterMs,
});

const settingsOf = ({ rootPath, apiToken, trustedProxies, streams, upstream }: Config) => ({
  rootPath,
  apiToken,
  trustedProxies,
  defaultUserAgent: upstream.userAgent,
  viewerIdleSeconds: streams.viewerIdleMs / 1000,
  streamTtlSeconds: streams.ttlMs / 1000,
  maxRetries: upstream.retryAttempts,
  sharing: streams.sharing,
});

async function readAbout(config: Config, nodeId: NodeEpoch) {
  return {
    version: packageInfo.version,
    ffmpegVersion: await ffmpegVersion(config.ffmpegPath),
    nodeId,
    redisMode: isEmbedded(config) ? ('embedded' as const) : ('external' as const),
  };
}

/** The supervisor names the socket of the Redis that it runs; it lies in the data folder. */
const isEmbedded = ({ redis, dataDir }: Config): boolean =>
  redis.url === undefined || redis.url.startsWith(`unix://${dataDir}/`);
