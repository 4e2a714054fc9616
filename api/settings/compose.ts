import packageInfo from '#package' with { type: 'json' };
import type { Config } from '#config';
import type { NodeEpoch } from '#kernel/ids';
import { ffmpegVersion } from '#adapters/ffmpeg/version';

/** What streams have that do not say otherwise. */
export const defaultsOf = ({ streams, upstream }: Config) => ({
  userAgent: upstream.userAgent,
  sharing: streams.sharing,
  retry: upstream,
  failbackAfterMs: upstream.failbackAfterMs,
});

/** What the API acts on, or tells of. */
export const settingsOf = ({ rootPath, apiToken, trustedProxies, streams, upstream }: Config) => ({
  rootPath,
  apiToken,
  trustedProxies,
  defaultUserAgent: upstream.userAgent,
  viewerIdleSeconds: streams.viewerIdleMs / 1000,
  streamTtlSeconds: streams.ttlMs / 1000,
  maxRetries: upstream.retryAttempts,
  sharing: streams.sharing,
});

/** Facts about this process that do not change. */
export async function readAbout(config: Config, nodeId: NodeEpoch) {
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
