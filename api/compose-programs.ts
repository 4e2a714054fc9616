import packageInfo from '#package' with { type: 'json' };
import type { Config } from '#config';
import type { NodeEpoch } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { ResolverName } from '#resolve';
import { egressFrom } from '#upstream';
import { FfprobeMediaProbe } from '#adapters/ffmpeg/media-probe';
import { cookieFilesIn } from '#adapters/fs/cookie-files';
import { guardPage } from '#adapters/http/page-guard';
import { versionOf } from '#adapters/programs/version';
import { YtdlpMetadataReader } from '#adapters/programs/ytdlp';

/** Looks into live sources; nothing where that is turned off. */
export const mediaProbeOf = ({ ffprobePath: program }: Config, logger: Logger) =>
  program === undefined ? {} : { mediaProbe: new FfprobeMediaProbe({ program, logger }) };

/** What looks into pages of video sites. */
export const resolversOf = ({
  resolvers: { cookiesFolder, streamlinkPath, ytdlpPath: program },
  upstream: { allowPrivate },
  egress: way,
}: Config) => ({
  isOn: { streamlink: streamlinkPath !== undefined, ytdlp: program !== undefined },
  cookies: cookieFilesIn(cookiesFolder),
  ...(program === undefined
    ? {}
    : {
        metadata: new YtdlpMetadataReader({
          program,
          guard: (url, isProxied) => guardPage(url, { allowPrivate, isProxied }),
          egress: egressFrom(way.url, way.localAddress),
        }),
      }),
});

/** What this process is made of. */
export async function readAbout(config: Config, nodeId: NodeEpoch) {
  const { streamlinkPath, ytdlpPath } = config.resolvers;
  const later: Record<ResolverName, string | null> = { streamlink: null, ytdlp: null };
  // Nobody waits for these at start: they take their time.
  const find = async (name: ResolverName, program: string | undefined): Promise<void> => {
    if (program !== undefined) later[name] = await versionOf(program);
  };
  void find('streamlink', streamlinkPath);
  void find('ytdlp', ytdlpPath);
  return {
    version: packageInfo.version,
    ffmpegVersion: await versionOf(config.ffmpegPath, '-version'),
    get streamlinkVersion() {
      return later.streamlink;
    },
    get ytdlpVersion() {
      return later.ytdlp;
    },
    nodeId,
    redisMode: isEmbedded(config) ? ('embedded' as const) : ('external' as const),
  };
}

/** The supervisor names the socket of the Redis that it runs; it lies in the data folder. */
const isEmbedded = ({ redis, dataDir }: Config): boolean =>
  redis.url === undefined || redis.url.startsWith(`unix://${dataDir}/`);
