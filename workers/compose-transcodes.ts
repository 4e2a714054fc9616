import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { BullJobRunner } from '#adapters/bullmq/job-runner';
import { RUN_QUEUE } from '#adapters/bullmq/naming';
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
import type { Amounts, Hardware, RunJob, TranscodeWorker } from '#transcode';
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
/** Jobs that are looked at, at once; what does not fit is declined. */
const MOST_RUNS = 1000;

/** What this worker has for runs, which depends on whether it has a device. */
function capacityOf({ transcode }: Config, [best = SOFTWARE]: readonly Hardware[]): Amounts {
  const cpu = transcode.cpuSlots || Math.max(LEAST_SLOTS, availableParallelism());
  const gpu = best.kind === 'software' ? 0 : transcode.gpuSessions;
  return { slots: transcode.slots || cpu + gpu, cpu, gpu };
}

/** What this worker finds out of its machine beside its start. */
function findOut({ config, logger }: TranscodesOptions, changed: () => void) {
  const { hardware: wanted, device } = config.transcode;
  // Until it is known, software encodes.
  const found: { hardware: readonly Hardware[]; programs?: ResolverPrograms } = {
    hardware: [SOFTWARE],
  };
  const findHardware = async (): Promise<void> => {
    found.hardware = await probeHardware({ program: config.ffmpegPath, wanted, device });
    logger.info('transcoder ready', {
      ...capacityOf(config, found.hardware),
      hardware: found.hardware.map(({ kind }) => kind),
    });
    changed();
  };
  const findPrograms = async (): Promise<void> => {
    found.programs = await programVersions(config);
    changed();
  };
  void findPrograms();
  void findHardware();
  return found;
}

/** Takes runs, and tells the api processes of itself. */
export async function startTranscodes(options: TranscodesOptions) {
  const { config, logger, redis, queue } = options;
  const { prefix } = config.redis;
  const secret = await loadRunSecret(redis, prefix);
  const id = randomUUID();
  const folder = join(config.dataDir, 'transcode');
  await mkdir(folder, { recursive: true });
  const found = findOut(options, () => card.changed());
  const capacity = (): Amounts => capacityOf(config, found.hardware);
  const work: TranscodeWork = new TranscodeWork({
    start: (args) => startFfmpeg({ program: config.ffmpegPath, args, folder }),
    link: (job) => linkRun(job, secret),
    hardware: () => found.hardware,
    capacity,
    limits: config.transcode.limits,
    logger,
    changed: () => card.changed(),
  });
  const about = (): TranscodeWorker => {
    const { taken, runs } = work;
    return { id, capacity: capacity(), taken, runs, ...found };
  };
  const card: WorkerCard = new WorkerCard({ redis, prefix, about });
  const runner = new BullJobRunner<RunJob>({
    redis: queue,
    prefix,
    logger,
    name: RUN_QUEUE,
    slots: config.transcode.slots || MOST_RUNS,
    run: (job, draining) => work.run(job, draining),
  });
  const resolves = await startResolves({ config, logger, queue, secret });
  return {
    close: () =>
      closeAll([() => Promise.all([runner.close(), resolves.close()]), () => card.close()]),
  };
}
