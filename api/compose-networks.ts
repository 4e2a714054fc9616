import type { Redis } from 'ioredis';
import { BullNetworkQueue } from '#adapters/bullmq/network-queue';
import { networkFiles } from '#adapters/fs/network-files';
import type { ChangeFeed } from '#adapters/redis/change-feed';
import { RedisNetworkStore, networkNotes } from '#adapters/redis/network-store';
import type { Config } from '#config';
import { systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { Networks } from '#networks';
import type { NetworkDeps } from './deps.ts';
import { broadcastPlayback } from './routes/broadcast.routes.ts';

type NetworkParts = {
  readonly config: Config;
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly changes: ChangeFeed;
  readonly logger: Logger;
};

/** Networks as an api process has them: workers run them. */
export function openNetworks({ config, redis, changes, logger }: NetworkParts) {
  const { prefix } = config.redis;
  const { limits, folder, recordings } = config.networks;
  const queue = new BullNetworkQueue({ redis, prefix, logger });
  const networks = new Networks({
    store: new RedisNetworkStore(redis, prefix),
    notes: networkNotes(changes),
    queue,
    files: networkFiles,
    limits,
    timers: systemTimers,
  });
  const deps: NetworkDeps = { networks, files: networkFiles, folders: { folder, recordings } };
  return { deps, playback: broadcastPlayback(deps), close: () => queue.close() };
}
