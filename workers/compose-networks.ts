import type { Redis } from 'ioredis';
import { BullCallbackRunner } from '#adapters/bullmq/callback-runner';
import { BullJobRunner } from '#adapters/bullmq/job-runner';
import { NETWORK_QUEUE } from '#adapters/bullmq/naming';
import { BullNetworkQueue } from '#adapters/bullmq/network-queue';
import type { NetworkJob } from '#adapters/bullmq/network-queue';
import { FfmpegRemuxer } from '#adapters/ffmpeg/remuxer';
import { startFfmpeg } from '#adapters/ffmpeg/transcoder';
import { networkAttic } from '#adapters/fs/network-attic';
import { DiskNetworkFolder } from '#adapters/fs/network-folder';
import { createCallbackClient } from '#adapters/http/callback-client';
import { MediaDoor } from '#adapters/http/media-door';
import { mediaSourcesOf } from '#adapters/http/media-sources';
import { createTextClient } from '#adapters/http/text-client';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import type { ChangeFeed } from '#adapters/redis/change-feed';
import { RedisSlotLeases } from '#adapters/redis/slot-leases';
import { RedisNetworkStore, networkNotes } from '#adapters/redis/network-store';
import { ConfigError } from '#config';
import type { Config } from '#config';
import { HlsInput } from '#conversion';
import { createPlaylistClient } from '#delivery/playlists';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { Callback, NetworkStore } from '#networks';
import { newNodeEpoch } from '#kernel/ids';
import {
  ConnectionLedger,
  egressFrom,
  hostLimitOf,
  hostLimitsFrom,
  limitedClient,
  limitedTexts,
} from '#upstream';
import { NetworkKeeper } from './networks/keeper.ts';
import { NetworkCleaner } from './networks/network-cleaner.ts';
import { NetworkWatch } from './networks/network-watch.ts';

export type NetworksOptions = {
  readonly config: Config;
  readonly logger: Logger;
  /** For `commands` and for `queue`; both stay the caller's. */
  readonly redis: Redis;
  readonly queue: Redis;
  readonly changes: ChangeFeed;
};

/** Runs networks, finds those that nobody runs, and tells their apps. */
export async function startNetworks(options: NetworksOptions) {
  const { config, logger, redis, changes, queue: connection } = options;
  const { prefix } = config.redis;
  const { networks: settings } = config;
  const target = { redis: connection, prefix, logger };
  const common = { clock: systemClock, timers: systemTimers, logger };
  const store = new RedisNetworkStore(redis, prefix);
  const queue = new BullNetworkQueue(target);
  const media = await openMedia(options);
  const keeper = new NetworkKeeper({
    ...common,
    store,
    queue,
    notes: networkNotes(changes),
    sources: media.sources,
    start: (run) => startFfmpeg({ program: config.ffmpegPath, ...run }),
    openFolder: ({ folder }) => new DiskNetworkFolder(folder),
    settings: settings.run,
  });
  const runner = new BullJobRunner<NetworkJob>({
    ...target,
    name: NETWORK_QUEUE,
    slots: settings.slots,
    run: ({ id }, draining) => keeper.keep(id, draining),
  });
  const callbacks = new BullCallbackRunner({
    ...target,
    isWanted: (callback) => isWanted(store, callback),
    tell: createCallbackClient({ guard: guardOf(config), timeoutMs: settings.callbackTimeoutMs }),
  });
  const watch = new NetworkWatch({ ...common, store, queue });
  const cleaner = cleanerOf({ config, store, logger });
  const close = (): Promise<void> =>
    closeAll([
      () => Promise.all([watch.close(), cleaner?.close(), runner.close(), callbacks.close()]),
      () => media.close(),
      () => queue.close(),
    ]);
  return { close };
}

type CleanerParts = Pick<NetworksOptions, 'config' | 'logger'> & { readonly store: NetworkStore };

/** Undefined where files are to stay. */
function cleanerOf({ config, store, logger }: CleanerParts): NetworkCleaner | undefined {
  const { gc, folder: root } = config.networks;
  const { isOn, ...when } = gc;
  const parts = { store, attic: networkAttic, root, timers: systemTimers, logger };
  return isOn ? new NetworkCleaner({ ...parts, ...when }) : undefined;
}

/** Not when the app has stopped or started something since: it knows more than we would tell. */
async function isWanted(store: NetworkStore, { networkId, orderNumber }: Callback) {
  const network = await store.find(networkId);
  return network?.orderNumber === orderNumber;
}

/** What fetches the media of programmes: with the guard, the egress and the time-outs of all. */
async function openMedia(options: NetworksOptions) {
  const { config, logger } = options;
  const { allowPrivate, verifyTls, maxRedirects, userAgent, ...upstream } = config.upstream;
  const egress = egressFrom(config.egress.url, config.egress.localAddress);
  const sources = { allowPrivate, verifyTls, maxRedirects, egress };
  if (config.egress.url !== '' && egress === undefined) throw wrongEgress();
  const { leases, limitOf } = limitsOf(options);
  const allowance = new ConnectionLedger({ timers: systemTimers, leases });
  const plain = { client: createUpstreamClient(sources), texts: createTextClient(sources) };
  const client = limitedClient(plain.client, { allowance, use: 'network' });
  const texts = limitedTexts(plain.texts, allowance);
  const { connectTimeoutMs: connectMs, readTimeoutMs: headersMs, maxPlaylistBytes } = upstream;
  const fetch = createPlaylistClient({ texts, maxBytes: maxPlaylistBytes, timeoutMs: headersMs });
  const remuxer = new FfmpegRemuxer({ program: config.ffmpegPath, logger });
  const door = await MediaDoor.open();
  const clocks = { clock: systemClock, timers: systemTimers };
  const playlistReader = () =>
    new HlsInput({ ...clocks, upstream: client, fetch, remuxer, converts: 'all', found: ignore });
  return {
    sources: mediaSourcesOf({
      client,
      playlistReader,
      door,
      timeouts: { connectMs, headersMs },
      userAgent,
      limitOf,
    }),
    close: () =>
      closeAll([
        () => door.close(),
        () => plain.client.close(),
        () => plain.texts.close(),
        () => leases.close(),
      ]),
  };
}

/** Programmes name no limits of their own: what counts is what the operator says of hosts. */
function limitsOf({ config, redis, changes }: NetworksOptions) {
  const hostLimits = hostLimitsFrom(config.providerConnections);
  if (!hostLimits) throw new ConfigError(['PROVIDER_CONNECTIONS must be host=number']);
  const { prefix } = config.redis;
  const leases = new RedisSlotLeases({ redis, prefix, node: newNodeEpoch(), changes });
  return { leases, limitOf: (url: string) => hostLimitOf(url, hostLimits) };
}

/** Apps live beside us: the setting about private addresses is for sources. */
const guardOf = ({ upstream }: Config) => ({ allowPrivate: true, verifyTls: upstream.verifyTls });

const ignore = (): void => {};

/** Its value is a secret. Nothing may go out past it. */
const wrongEgress = (): ConfigError =>
  new ConfigError(['EGRESS_URL must be the URL of a proxy, without a path, or of a template']);
