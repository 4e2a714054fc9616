import type { Redis } from 'ioredis';
import type { Config } from '#config';
import { HlsInput } from '#conversion';
import { createPlaylistClient } from '#delivery';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { ResolveJob } from '#resolve';
import { ResolverDesk, ResolverSources } from '#runs';
import type { Stream } from '#streams';
import type { RunId } from '#transcode';
import { egressFrom } from '#upstream';
import type { ConnectionAllowance, TextClient, UpstreamClient } from '#upstream';
import { RESOLVE_QUEUE } from '#adapters/bullmq/naming';
import { BullRunQueue } from '#adapters/bullmq/run-queue';
import { FfmpegRemuxer } from '#adapters/ffmpeg/remuxer';
import { guardPage } from '#adapters/http/page-guard';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { RedisRunHolders } from '#adapters/redis/run-holders';
import { loadRunSecret } from '#adapters/redis/run-secret';

export type ResolverParts = {
  readonly config: Config;
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly clients: {
    readonly bytes: { readonly live: UpstreamClient };
    readonly texts: TextClient;
    readonly allowance: ConnectionAllowance;
  };
  readonly logger: Logger;
};

/** Workers have nothing to do but to take it; where all slots are in use, this is what it takes. */
const TAKEN_MS = 10_000;

/** Builds what an api process needs to have pages resolved. */
export async function composeResolvers({ config, redis, clients, logger }: ResolverParts) {
  const { prefix } = config.redis;
  const { startMs } = config.resolvers;
  const door: { url: string | undefined } = { url: undefined };
  const apiUrl = (): string => door.url ?? '';
  const queue = new BullRunQueue<ResolveJob<RunId>>({ redis, prefix, name: RESOLVE_QUEUE, logger });
  const peers = createUpstreamClient({ allowPrivate: true, verifyTls: true, maxRedirects: 0 });
  const holders = new RedisRunHolders(redis, prefix);
  const desk = new ResolverDesk({
    queue,
    apiUrl,
    takenMs: TAKEN_MS,
    startMs,
    timers: systemTimers,
    logger,
  });
  const remuxer = new FfmpegRemuxer({ program: config.ffmpegPath, logger });
  const { readTimeoutMs: timeoutMs, maxPlaylistBytes: maxBytes } = config.upstream;
  const fetch = createPlaylistClient({ texts: clients.texts, maxBytes, timeoutMs });
  const { live } = clients.bytes;
  const common = { clock: systemClock, timers: systemTimers, remuxer };
  const sources = new ResolverSources({
    ...common,
    desk,
    allowance: clients.allowance,
    holders,
    remote: {
      client: peers,
      secret: await loadRunSecret(redis, prefix),
      startMs: startMs + TAKEN_MS,
    },
    apiUrl,
    egress: egressFrom(config.egress.url, config.egress.localAddress),
    guard: (url, isProxied) =>
      guardPage(url, { allowPrivate: config.upstream.allowPrivate, isProxied }),
    playlists: () =>
      new HlsInput({ ...common, upstream: live, fetch, converts: 'all', found: () => {} }),
    files: live,
  });
  const pageReader = (stream: Stream): UpstreamClient | undefined =>
    stream.resolver && sources.client({ id: stream.id, plan: stream.resolver });
  const close = (): Promise<void> =>
    closeAll([() => desk.close(), () => holders.close(), () => peers.close(), () => queue.close()]);
  return { desk, door, pageReader, close };
}
