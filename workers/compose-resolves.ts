import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { BullJobRunner } from '#adapters/bullmq/job-runner';
import { RESOLVE_QUEUE } from '#adapters/bullmq/naming';
import { FfmpegRemuxer } from '#adapters/ffmpeg/remuxer';
import { cookieFilesIn } from '#adapters/fs/cookie-files';
import { linkRun } from '#adapters/http/run-client';
import { ResolverProgramRunner, foundBy } from '#adapters/programs/resolver-programs';
import { versionOf } from '#adapters/programs/version';
import type { Config } from '#config';
import type { Logger } from '#kernel/logger';
import type { ResolveJob, ResolverName, ResolverPrograms } from '#resolve';
import type { RunId } from '#transcode';
import { ResolveWork } from './resolve.worker.ts';
import { asTransportStream } from './transport-stream.ts';

export type ResolvesOptions = {
  readonly config: Config;
  readonly logger: Logger;
  /** For `queue`; stays the caller's. */
  readonly queue: Redis;
  readonly secret: Buffer;
};

/** Takes runs of resolvers. */
export async function startResolves({ config, logger, queue, secret }: ResolvesOptions) {
  const { resolvers, redis, dataDir, upstream } = config;
  const files = cookieFilesIn(resolvers.cookiesFolder);
  const programs = new ResolverProgramRunner({
    programs: {
      streamlink: resolvers.streamlinkPath ?? '',
      ytdlp: resolvers.ytdlpPath ?? '',
    },
    folder: join(dataDir, 'resolvers', randomUUID()),
    mayRead: async (path) => (await files.stateOf(path)) === 'fine',
    verifyTls: upstream.verifyTls,
  });
  await programs.open();
  const remuxer = new FfmpegRemuxer({ program: config.ffmpegPath, logger });
  const work = new ResolveWork({
    start: (order) => programs.start(order),
    found: foundBy,
    asTransportStream: (output) => asTransportStream(remuxer, output),
    link: (job) => linkRun(job, secret),
    logger,
  });
  const runner = new BullJobRunner<ResolveJob<RunId>>({
    redis: queue,
    prefix: redis.prefix,
    name: RESOLVE_QUEUE,
    logger,
    slots: resolvers.slots,
    run: (job, draining) => work.run(job, draining),
  });
  const close = async (): Promise<void> => {
    await runner.close();
    await programs.close();
  };
  return { close };
}

/** What this worker can find media with; asked once, beside its start. */
export async function programVersions({ resolvers }: Config): Promise<ResolverPrograms> {
  const { streamlinkPath, ytdlpPath } = resolvers;
  const [streamlink, ytdlp] = await Promise.all([version(streamlinkPath), version(ytdlpPath)]);
  return { streamlink, ytdlp } satisfies Record<ResolverName, string | null>;
}

const version = async (program: string | undefined): Promise<string | null> =>
  program === undefined ? null : versionOf(program);
