import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { Logger } from '#kernel/logger';
import { inStore, storeUnavailable } from './store-errors.ts';

export type AwaitOptions = {
  /** How long Redis may take to come up. */
  readonly deadlineMs: number;
  readonly logger: Logger;
};

/**
 * Waits until Redis answers and has loaded its data, then says whether it is fit to keep ours.
 *
 * @throws DependencyError `STORE_UNAVAILABLE` when it is not there in time, when it is older than
 *   6.2, or when its `maxmemory-policy` may throw keys away.
 */
export async function awaitRedis(
  redis: Redis,
  { deadlineMs, logger }: AwaitOptions,
): Promise<void> {
  await whenReady(redis, deadlineMs);
  const facts = parseInfo(await inStore(() => redis.info()));
  facts['maxmemory_policy'] ??= await evictionPolicy(redis);
  const problem = problemOf(facts);
  if (problem) throw new DependencyError('STORE_UNAVAILABLE', { message: problem });
  for (const message of doubtsOf(facts)) logger.warn(message);
}

function whenReady(redis: Redis, deadlineMs: number): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const ready = (): void => {
      clearTimeout(deadline);
      resolve();
    };
    const deadline = setTimeout(() => {
      redis.off('ready', ready);
      reject(storeUnavailable());
    }, deadlineMs);
    redis.once('ready', ready);
  });
}

type Facts = Record<string, string | undefined>;

/** The `name:value` lines of `INFO`. */
export function parseInfo(text: string): Facts {
  const pairs = text.split(/\r?\n/).map((line) => /^(\w+):(.*)$/.exec(line));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1], pair[2]]] : [])));
}

/** For servers that leave it out of `INFO`; managed ones may forbid `CONFIG` too. */
async function evictionPolicy(redis: Redis): Promise<string | undefined> {
  try {
    return (await redis.config('GET', 'maxmemory-policy'))[1];
  } catch {
    return undefined;
  }
}

const MIN_VERSION = [6, 2] as const;

/** Why a Redis with these facts must not be used, if so. */
export function problemOf(facts: Facts): string | undefined {
  const [major = 0, minor = 0] = (facts['redis_version'] ?? '').split('.').map(Number);
  if (major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1])) {
    return `Redis ${MIN_VERSION.join('.')} or newer is needed.`;
  }
  const policy = facts['maxmemory_policy'];
  if (policy !== undefined && policy !== 'noeviction') {
    return `Redis may throw keys away: set maxmemory-policy to noeviction (it is ${policy}).`;
  }
  return undefined;
}

function doubtsOf(facts: Facts): string[] {
  const doubts: string[] = [];
  if (facts['maxmemory_policy'] === undefined) {
    doubts.push('redis does not tell its maxmemory-policy; it must be noeviction');
  }
  if (facts['aof_enabled'] === '0') {
    doubts.push('redis has no append-only file; its restart may lose streams and events');
  }
  return doubts;
}
