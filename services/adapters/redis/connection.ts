import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Logger } from '#kernel/logger';

/**
 * What a connection is for.
 * - `commands`: fails at once while Redis is away, and within two seconds when it hangs.
 * - `blocking`: as `commands`, but replies may take five seconds; for one blocking reader.
 * - `subscriber`: for pub/sub; its owner subscribes anew on each `ready`.
 * - `queue`: for BullMQ, which wants commands to wait until Redis is back.
 */
export type RedisUse = 'commands' | 'blocking' | 'subscriber' | 'queue';

export type RedisTarget = {
  /** `redis://`, `rediss://` or `unix:///path/to.sock`; a `?db=n` goes with the last. */
  readonly url: string;
  /** Shown in `CLIENT LIST` and on log lines. */
  readonly role: string;
  /** Default `commands`. */
  readonly use?: RedisUse;
  readonly logger: Logger;
};

const CONNECT_TIMEOUT_MS = 2_000;
const REPLY_TIMEOUT_MS = 2_000;
/** Longer than anybody blocks. */
const BLOCKED_TIMEOUT_MS = 5_000;
const RECONNECT_STEP_MS = 50;
const RECONNECT_MAX_MS = 1_000;
const LOG_INTERVAL_MS = 1_000;

type Options = RedisOptions & { readonly replyMapping?: 'legacy' };

const BY_USE: Record<RedisUse, Options> = {
  commands: { socketTimeout: REPLY_TIMEOUT_MS },
  blocking: { socketTimeout: BLOCKED_TIMEOUT_MS },
  subscriber: { autoResubscribe: false },
  queue: {
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
  },
};

/**
 * Opens a connection, which reconnects for ever until `disconnect()`. The caller owns it.
 *
 * Never throws: whether Redis is there, and fit, is for `awaitRedis` to say. Connection errors are
 * logged, at most one a second, without the URL.
 */
export function openRedis({ url, role, use = 'commands', logger }: RedisTarget): Redis {
  const options: Options = {
    connectionName: `penstock-${role}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0, // What was on its way when the connection broke fails at once.
    retryStrategy: (attempt) => Math.min(RECONNECT_MAX_MS, attempt * RECONNECT_STEP_MS),
    ...BY_USE[use],
  };
  const redis = connect(url, options);
  logErrors(redis, logger.child({ redis: role }));
  return redis;
}

function connect(url: string, options: Options): Redis {
  const { protocol, pathname, searchParams } = new URL(url);
  if (protocol !== 'unix:') return new Redis(url, options);
  const db = Number(searchParams.get('db') ?? 0);
  return new Redis({ ...options, path: decodeURIComponent(pathname), db });
}

function logErrors(redis: Redis, logger: Logger): void {
  let unspoken = 0;
  let quietUntilMs = 0;
  redis.on('error', (error: NodeJS.ErrnoException) => {
    unspoken += 1;
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + LOG_INTERVAL_MS;
    logger.warn('redis connection error', { code: error.code ?? error.name, times: unspoken });
    unspoken = 0;
  });
}
