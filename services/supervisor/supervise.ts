import { closeAll } from '#kernel/closing';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { KeptProcess } from './kept-process.ts';
import { ProcessError, type ReadyFacts } from './launched.ts';
import { launchNode } from './node-process.ts';
import { findRunningRedis, type RedisService, startRedisService } from './redis-service.ts';

export type Role = 'api' | 'worker';

export type SupervisorOptions = {
  readonly roles: readonly Role[];
  /** The `main.ts` of each role. */
  readonly scripts: Readonly<Record<Role, string>>;
  /** `undefined`: the embedded Redis of `dataDir`. */
  readonly redisUrl: string | undefined;
  readonly redisProgram: string | undefined;
  readonly dataDir: string;
  /** Where Node.js keeps compiled code for the next start. */
  readonly compileCache: string;
  /** Of the C library, for memory outside V8's. */
  readonly mallocArenas: string;
  /** For draining everything, one after the other. */
  readonly graceMs: number;
  readonly logger: Logger;
};

export type Supervised = {
  /** What each process told when it was ready. */
  readonly facts: Readonly<Partial<Record<Role, ReadyFacts>>>;
  /** Drains api, then worker, then Redis, so that each can still write what it has to. */
  close(): Promise<void>;
};

/** Shares of the grace: together less than one, so that we end before whoever waits for us. */
const GRACE = { api: 0.5, worker: 0.3, redis: 0.15 } as const;
/** A process is told a little less than it has, so that it ends itself before we end it. */
const TOLD = 0.9;
/**
 * Room for young objects, in MiB, which V8 fills before it cleans up. The usual 16 cost the api 50 MB
 * and gain it nothing that can be measured; a worker that waits for jobs needs even less.
 */
const FLAGS = {
  api: ['--max-semi-space-size=4'],
  worker: ['--optimize-for-size', '--max-semi-space-size=1'],
} as const;

/**
 * Starts Redis, when it is ours to run, then every role, and keeps them running.
 * @throws ProcessError when something cannot be started; then nothing is left running.
 */
export async function supervise(options: SupervisorOptions): Promise<Supervised> {
  const { roles, graceMs } = options;
  const redis = await redisFor(options);
  const processes = roles.map((role) => ({ role, kept: keep(role, options, redis) }));
  const close = (): Promise<void> =>
    closeAll([
      ...processes.map(
        ({ role, kept }) =>
          () =>
            kept.close(graceMs * GRACE[role]),
      ),
      () => redis.close(graceMs * GRACE.redis),
    ]);
  const starts = await Promise.allSettled(
    processes.map(async ({ role, kept }) => [role, await kept.start()] as const),
  );
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  const facts = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  return { facts: Object.fromEntries(facts), close };
}

type RedisInUse = Pick<RedisService, 'close'> & Partial<RedisService>;

const NOT_OURS: RedisInUse = { close: async () => {} };

async function redisFor(options: SupervisorOptions): Promise<RedisInUse> {
  const { redisUrl, dataDir, graceMs, logger, redisProgram } = options;
  if (redisUrl !== undefined) return NOT_OURS;
  if (options.roles.includes('api')) {
    return startRedisService({ dataDir, program: redisProgram, patienceMs: graceMs, logger });
  }
  const url = await findRunningRedis(dataDir);
  if (url !== undefined) return { ...NOT_OURS, url };
  throw new ProcessError(
    'A worker alone needs REDIS_URL, or a Penstock that runs on the same DATA_DIR.',
  );
}

const keep = (role: Role, options: SupervisorOptions, { url, hold }: RedisInUse): KeptProcess =>
  new KeptProcess({
    name: role,
    launch: () =>
      launchNode({
        name: role,
        flags: FLAGS[role],
        script: options.scripts[role],
        env: {
          NODE_COMPILE_CACHE: options.compileCache,
          MALLOC_ARENA_MAX: options.mallocArenas,
          SHUTDOWN_GRACE: String((options.graceMs * GRACE[role] * TOLD) / 1000),
          ...(url === undefined ? {} : { REDIS_URL: url }),
        },
        lifeline: hold,
      }),
    logger: options.logger,
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
  });
