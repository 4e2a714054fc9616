import { join } from 'node:path';
import packageInfo from '#package' with { type: 'json' };
import type { Config } from '#config';
import { SlateLibrary } from '#delivery';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import { newNodeEpoch } from '#kernel/ids';
import type { NodeEpoch } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { RunningProcess } from '#lifecycle';
import { StreamRegistry } from '#streams';
import { ConnectionLedger } from '#upstream';
import { ApiMetrics } from '#telemetry';
import { Webhooks, createDeliver } from '#webhooks';
import { createSlateMaker } from '#adapters/ffmpeg/slate-maker';
import { SegmentStore } from '#segments';
import { openSegmentFiles } from '#adapters/fs/segment-files';
import { slateFilesIn } from '#adapters/fs/slate-files';
import { awaitRedis } from '#adapters/redis/await-redis';
import { redisBegunStore } from '#adapters/redis/begun-store';
import { ChangeFeed } from '#adapters/redis/change-feed';
import { openRedis } from '#adapters/redis/connection';
import { redisEndpointStore } from '#adapters/redis/endpoint-store';
import { NodeHeartbeat } from '#adapters/redis/heartbeat';
import { redisSecretStore } from '#adapters/redis/secret';
import { redisPeerViewers } from '#adapters/redis/peer-viewers';
import { redisViewerPasts } from '#adapters/redis/viewer-pasts';
import { RedisSlotLeases } from '#adapters/redis/slot-leases';
import { RedisStateJournal } from '#adapters/redis/state-journal';
import { redisStreamKeyStore } from '#adapters/redis/stream-key-store';
import { RedisStreamStore } from '#adapters/redis/stream-store';
import { ApiDocument } from './api-document.ts';
import { createApp } from './app.ts';
import { openAccess } from './compose-access.ts';
import { hostLimitsOf, openClients } from './compose-clients.ts';
import { deliveryOf } from './compose-delivery.ts';
import { countsOf, placesOf } from './provider-places.ts';
import { openNetworks } from './compose-networks.ts';
import { readAbout, resolversOf } from './compose-programs.ts';
import { PeerDoor } from './internal/peer-door.ts';
import { listen, type Listening } from './listen.ts';
import { hlsRoutes } from './routes/hls.routes.ts';
import { segmentsFirst } from './segments-first.ts';
import { withShortCut } from './short-cut.ts';

const REDIS_DEADLINE_MS = 15_000;

/** Builds the api process: everything it has is made here, and closed here in reverse. */
export async function composeApi(config: Config, logger: Logger): Promise<RunningProcess> {
  const node = newNodeEpoch();
  const about = readAbout(config, node);
  const state = await openState({ config, logger, node });
  const allowance = new ConnectionLedger({ timers: systemTimers, leases: state.slots });
  const clients = openClients(config, allowance);
  const segments = await openSegments(config);
  const metrics = metricsOf({ state, clients, registry: () => registry });
  const slates = openSlates(config, logger);
  const { resolver } = clients;
  const registry = openRegistry({ ...state, meter: metrics, resolver, node, logger }, config);
  await registry.load();
  const revoked = (keyId: string): void => registry.endKey(keyId);
  const access = await openAccess({ config, state, revoked, logger });
  const { redis } = state;
  const peerDoor = new PeerDoor();
  const own = { secret: access.ring, slate: slates.settings, peerDoor, redis, node };
  const delivery = await deliveryOf({ ...own, registry, segments, config, clients, logger });
  const { hls, owners, handlers, manifests, playback, transcoding } = delivery;
  const networks = openNetworks({ ...state, config, logger });
  const app = createApp({
    ...aboutOf(config),
    streams: registry,
    webhooks: webhooksOf(state, clients),
    access,
    probe: clients.probe,
    places: placesOf(registry, allowance),
    about: await about,
    readiness: () => ({ redis: state.redis.status === 'ready' ? 'ok' : 'away' }),
    metrics,
    hls,
    delivery: [playback, hlsRoutes(handlers), manifests, networks.playback],
    networks: networks.deps,
    transcoding: transcoding.deps,
    clock: systemClock,
    logger,
  });
  peerDoor.listener = inFront({ app, handlers, hls, config, logger, metrics });
  const listening = await listen(peerDoor.listener, config);
  const owned = [transcoding, networks, state, clients, segments].map((part) => () => part.close());
  return {
    ready: { host: listening.host, port: listening.port },
    close: () =>
      closeAll([slates.close, () => owners.close(), () => drain(listening, registry), ...owned]),
  };
}

/** What is known from the start. */
const aboutOf = (config: Config) => ({
  resolvers: resolversOf(config),
  settings: settingsOf(config),
  apiDocument: new ApiDocument(),
});

type RegistryParts = Omit<
  ConstructorParameters<typeof StreamRegistry>[0],
  'defaults' | 'clock' | 'timers'
>;

const openRegistry = (parts: RegistryParts, config: Config): StreamRegistry =>
  new StreamRegistry({
    ...parts,
    defaults: defaultsOf(config),
    clock: systemClock,
    timers: systemTimers,
  });

type InFront = Omit<Parameters<typeof withShortCut>[0], 'rootPath'> & {
  readonly config: Config;
  readonly hls: Parameters<typeof segmentsFirst>[1]['hls'];
  readonly metrics: ApiMetrics;
};

/** The app, with the short ways of what is asked for most. */
function inFront({ config: { rootPath }, hls, ...parts }: InFront) {
  const shortCut = withShortCut({ ...parts, rootPath });
  return segmentsFirst(shortCut, { hls, rootPath, meter: parts.metrics });
}

/** Nothing new is taken; then every viewer is let go, which ends the answers under way. */
function drain(listening: Listening, registry: StreamRegistry): Promise<void> {
  const drained = listening.close();
  registry.close();
  return drained;
}

type StateOptions = {
  readonly config: Config;
  readonly logger: Logger;
  readonly node: NodeEpoch;
};

type MetricsParts = {
  readonly state: State;
  readonly clients: Clients;
  /** It tells the metrics and is read by them. */
  readonly registry: () => StreamRegistry;
};

const metricsOf = ({ state, clients, registry }: MetricsParts): ApiMetrics =>
  new ApiMetrics(packageInfo.version, {
    streams: () => registry().totalsByKind(),
    readBytes: clients.readBytes,
    journal: () => state.journal,
    isRedisUp: () => state.redis.status === 'ready',
    providerConnections: () => countsOf(clients.allowance.held()),
  });

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
  // Beside an embedded Redis there is no other api process.
  const isAlone = config.redis.url === undefined;
  const slots = new RedisSlotLeases({ redis, prefix, node, changes });
  const secretStore = redisSecretStore(redis, prefix, changes);
  const keyStore = redisStreamKeyStore(redis, prefix, changes);
  const begunStore = redisBegunStore(redis, prefix, changes);
  const peers = isAlone ? undefined : redisPeerViewers({ redis, prefix, changes, node });
  const pasts = redisViewerPasts(redis, prefix);
  const disconnect = (): void => {
    subscriber.disconnect();
    redis.disconnect();
  };
  // The journal goes first: the last viewers' leaving is still in it.
  const close = (): Promise<void> =>
    closeAll([
      () => journal.close(),
      () => store.close(),
      () => heartbeat.close(),
      () => changes.close(),
      () => slots.close(),
      disconnect,
    ]);
  return {
    redis,
    changes,
    slots,
    store,
    journal,
    endpoints,
    secretStore,
    keyStore,
    begunStore,
    peers,
    pasts,
    close,
  };
}

/** Where HLS segments are kept: in memory, and on disk where the operator wants that. */
async function openSegments({ dataDir, segments: { memoryBytes, diskBytes } }: Config) {
  const files = diskBytes > 0 ? await openSegmentFiles(join(dataDir, 'segments')) : undefined;
  const disk = files && { files, limitBytes: diskBytes };
  const common = { clock: systemClock, timers: systemTimers };
  const store = new SegmentStore({ ...common, memoryBytes, disk });
  return { store, close: async () => files?.close() };
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

const defaultsOf = ({ streams, upstream, providerConnections }: Config) => ({
  userAgent: upstream.userAgent,
  sharing: streams.sharing,
  retry: upstream,
  failbackAfterMs: upstream.failbackAfterMs,
  hostLimits: hostLimitsOf(providerConnections),
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
