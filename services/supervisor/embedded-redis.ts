import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from '#kernel/logger';
import { launch } from './child-process.ts';
import type { Launched, ReadyFacts } from './launched.ts';
import type { Descriptor } from './lifeline.ts';
import { OutputTail } from './output-tail.ts';
import { ping } from './redis-socket.ts';

const WATCH_SCRIPT = fileURLToPath(new URL('redis-watch.sh', import.meta.url));
const PING_EVERY_MS = 10;

export type EmbeddedRedis = {
  readonly program: string;
  /** Folder of its append-only file. Must exist. */
  readonly folder: string;
  readonly socket: string;
  /** Read end of the lifeline: Redis ends when its holders are gone. */
  readonly watch: Descriptor;
  readonly logger: Logger;
};

/** Starts a Redis server that keeps every write for ever and listens on a private socket only. */
export function launchRedis(redis: EmbeddedRedis): Launched {
  const output = new OutputTail(redis.logger);
  return launch({
    name: 'redis',
    file: 'sh',
    args: [WATCH_SCRIPT, redis.program, '-'],
    options: { input: redisConfig(redis), stdio: ['pipe', 'pipe', 'pipe', redis.watch], all: true },
    ready: (child, over) => {
      void output.follow(child.iterable({ from: 'all' }));
      return answersPing(redis.socket, over);
    },
    lastWords: () => output.text(),
  });
}

/** The configuration, fed on standard input so that it is no file that could go stale. */
export const redisConfig = ({ folder, socket }: Pick<EmbeddedRedis, 'folder' | 'socket'>): string =>
  [
    'port 0',
    `unixsocket ${JSON.stringify(socket)}`,
    'unixsocketperm 700',
    `dir ${JSON.stringify(folder)}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // Jobs and definitions are not a cache: rather refuse a write than forget one.
    'maxmemory-policy noeviction',
    'daemonize no',
    'loglevel warning',
    '',
  ].join('\n');

async function answersPing(socket: string, over: AbortSignal): Promise<ReadyFacts> {
  while ((await ping(socket)) !== 'ready') await pause(PING_EVERY_MS, undefined, { signal: over });
  return {};
}
