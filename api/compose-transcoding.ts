import type { Redis } from 'ioredis';
import type { Config } from '#config';
import type { LiveDelivery, LiveDeliveryOptions, VodDelivery } from '#delivery';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { StreamDirectory } from '#streams';
import { BullRunQueue } from '#adapters/bullmq/run-queue';
import { redisProfileStore } from '#adapters/redis/profile-store';
import { loadRunSecret } from '#adapters/redis/run-secret';
import { redisWorkerBoard } from '#adapters/redis/worker-board';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { RedisRunHolders } from '#adapters/redis/run-holders';
import type { TranscodingDeps } from '#api/deps';
import type { composeResolvers } from './compose-resolvers.ts';
import type { PeerDoor } from './internal/peer-door.ts';
import { openTranscoding } from './internal/transcoding.ts';

export type TranscodingParts = {
  /** Runs of other programs share the door for workers. */
  readonly resolvers: Pick<Awaited<ReturnType<typeof composeResolvers>>, 'desk' | 'door'>;
  readonly config: Config;
  readonly registry: StreamDirectory;
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly live: LiveDelivery;
  readonly vod: VodDelivery;
  readonly viewers: Pick<
    LiveDeliveryOptions,
    'viewerBufferBytes' | 'viewerPatienceMs' | 'allowance'
  >;
  readonly peerDoor: PeerDoor;
  readonly logger: Logger;
};

/** Builds what an api process needs to have streams transcoded. */
export async function composeTranscoding(parts: TranscodingParts) {
  const { config, registry, redis, live, vod, viewers, peerDoor, logger, resolvers } = parts;
  const { prefix } = config.redis;
  const queue = new BullRunQueue({ redis, prefix, logger });
  const board = redisWorkerBoard(redis, prefix);
  const secret = await loadRunSecret(redis, prefix);
  const holders = new RedisRunHolders(redis, prefix);
  const peers = createUpstreamClient({ allowPrivate: true, verifyTls: true, maxRedirects: 0 });
  const transcoding = await openTranscoding({
    queue,
    board,
    holders,
    peers,
    resolvers: resolvers.desk,
    door: resolvers.door,
    directory: registry,
    live,
    vod,
    common: { ...viewers, clock: systemClock, timers: systemTimers, logger },
    settings: config.transcode,
    secret,
    peerDoor,
  });
  const deps: TranscodingDeps = {
    profiles: redisProfileStore(redis, prefix),
    board,
    trustsTemplates: config.transcode.trustsTemplates,
    servesHls: config.conversion.hlsFromTs,
    runsOf: (id) => transcoding.desk.runsOf(id),
  };
  const close = (): Promise<void> =>
    closeAll([
      () => transcoding.close(),
      () => holders.close(),
      () => peers.close(),
      () => queue.close(),
    ]);
  const { delivery, apiUrl } = transcoding;
  return { transcodes: delivery, deps, secret, apiUrl, close };
}
