import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { claimDataDir } from './data-dir-claim.ts';
import { launchRedis } from './embedded-redis.ts';
import { KeptProcess } from './kept-process.ts';
import { ProcessError } from './launched.ts';
import { type Descriptor, type Lifeline, openLifeline } from './lifeline.ts';
import { findRedisProgram } from './redis-program.ts';
import { leaveSocket, ping, socketPath, socketUrl } from './redis-socket.ts';

const POLL_MS = 100;

export type RedisServiceOptions = {
  readonly dataDir: string;
  /** `REDIS_SERVER_PATH`, when it is set. */
  readonly program: string | undefined;
  /** How long the Redis of a supervisor that was killed is given to end. */
  readonly patienceMs: number;
  readonly logger: Logger;
};

/** A Redis that this supervisor keeps running. */
export type RedisService = {
  readonly url: string;
  /** File descriptor to hand to every process that uses it: Redis outlives the last holder. */
  readonly hold: Descriptor;
  close(graceMs: number): Promise<void>;
};

/**
 * Starts the embedded Redis of a data folder.
 * @throws ProcessError when the folder is in use, or no Redis program is installed.
 */
export async function startRedisService(options: RedisServiceOptions): Promise<RedisService> {
  const program = await findRedisProgram(options.program);
  const release = claimDataDir(options.dataDir);
  const folder = redisFolder(options.dataDir);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await untilFree(options);
    const lifeline = await openLifeline(folder);
    return await start(options, program, { lifeline, release });
  } catch (error) {
    release();
    throw error;
  }
}

/** The address of the Redis that another supervisor runs on this data folder, if one does. */
export async function findRunningRedis(dataDir: string): Promise<string | undefined> {
  const socket = socketPath(redisFolder(dataDir));
  return (await ping(socket)) === 'none' ? undefined : socketUrl(socket);
}

const redisFolder = (dataDir: string): string => join(dataDir, 'redis');

type Held = { readonly lifeline: Lifeline; readonly release: () => void };

async function start(
  { dataDir, logger }: RedisServiceOptions,
  program: string,
  { lifeline, release }: Held,
): Promise<RedisService> {
  const folder = redisFolder(dataDir);
  const socket = socketPath(folder);
  const log = logger.child({ process: 'redis' });
  if (dirname(socket) !== folder) logger.info('DATA_DIR is too long for a socket', { socket });
  const kept = new KeptProcess({
    name: 'redis',
    launch: () => launchRedis({ program, folder, socket, watch: lifeline.watch, logger: log }),
    logger,
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
  });
  const close = (graceMs: number): Promise<void> =>
    closeAll([
      () => kept.close(graceMs),
      () => lifeline.close(),
      () => leaveSocket(folder),
      release,
    ]);
  try {
    await kept.start();
  } catch (error) {
    await close(0);
    throw error;
  }
  return { url: socketUrl(socket), hold: lifeline.hold, close };
}

/** A supervisor that was killed leaves its Redis to the processes that still drain. */
async function untilFree({ dataDir, patienceMs, logger }: RedisServiceOptions): Promise<void> {
  const deadline = AbortSignal.timeout(patienceMs);
  for (let tries = 0; (await findRunningRedis(dataDir)) !== undefined; tries += 1) {
    if (tries === 0) logger.info('waiting for the previous redis to end', { patienceMs });
    if (deadline.aborted) {
      throw new ProcessError(
        `A Redis already answers on ${socketPath(redisFolder(dataDir))}: another Penstock uses ${dataDir}. Stop it, or set another DATA_DIR.`,
      );
    }
    await pause(POLL_MS);
  }
}
