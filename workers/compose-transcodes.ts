import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { BullRunRunner } from '#adapters/bullmq/run-runner';
import { probeHardware } from '#adapters/ffmpeg/hardware-probe';
import { startFfmpeg } from '#adapters/ffmpeg/transcoder';
import { linkRun } from '#adapters/http/run-client';
import { loadRunSecret } from '#adapters/redis/run-secret';
import { WorkerCard } from '#adapters/redis/worker-board';
import type { Config } from '#config';
import { closeAll } from '#kernel/closing';
import type { Logger } from '#kernel/logger';
import type { ResolverPrograms } from '#resolve';
import { SOFTWARE } from '#transcode';
import type { Hardware } from '#transcode';
import { programVersions, startResolves } from './compose-resolves.ts';
import { TranscodeWork } from './transcode.worker.ts';

export type TranscodesOptions = {
  readonly config: Config;
  readonly logger: Logger;
  /** For `commands` and for `queue`; both stay the caller's. */
  readonly redis: Redis;
  readonly queue: Redis;
};

const LEAST_SLOTS = 2;

/** Takes runs, and tells the api processes of itself. */
export async function startTranscodes({ config, logger, redis, queue }: TranscodesOptions) {
  const { prefix } = config.redis;
  const secret = await loadRunSecret(redis, prefix);
  const id = randomUUID();
  const slots = config.transcode.slots || Math.max(LEAST_SLOTS, availableParallelism());
  const folder = join(config.dataDir, 'transcode');
  await mkdir(folder, { recursive: true });
  let hardware: readonly Hardware[] = [SOFTWARE];
  const work: TranscodeWork = new TranscodeWork({
    start: (args) => startFfmpeg({ program: config.ffmpegPath, args, folder }),
    link: (job) => linkRun(job, secret),
    hardware: () => hardware,
    logger,
    changed: () => card.changed(),
  });
  let programs: ResolverPrograms | undefined;
  const about = () => ({ id, slots, busy: work.busy, hardware, ...(programs && { programs }) });
  const card = new WorkerCard({ redis, prefix, about });
  const findHardware = async (): Promise<void> => {
    const { hardware: wanted, device } = config.transcode;
    hardware = await probeHardware({ program: config.ffmpegPath, wanted, device });
    logger.info('transcoder ready', { slots, hardware: hardware.map(({ kind }) => kind) });
    card.changed();
  };
  const findPrograms = async (): Promise<void> => {
    programs = await programVersions(config);
    card.changed();
  };
  void findPrograms();
  // Beside the start: until it is known, software encodes.
  void findHardware();
  const runner = new BullRunRunner({
    redis: queue,
    prefix,
    logger,
    slots,
    run: (job, draining) => work.run(job, draining),
  });
  const resolves = await startResolves({ config, logger, queue, secret });
  return {
    close: () =>
      closeAll([() => Promise.all([runner.close(), resolves.close()]), () => card.close()]),
  };
}
