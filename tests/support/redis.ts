import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { openRedis } from '#adapters/redis/connection';
import type { RedisUse } from '#adapters/redis/connection';
import { silentLogger } from '#kernel/logger';
import { eventually } from './processes.ts';

export type TestRedis = AsyncDisposable & {
  /** For `REDIS_URL` and `openRedis`. */
  readonly url: string;
  /** A connection that is ready, and closed with the server. */
  connect(use?: RedisUse): Promise<Redis>;
  /** `kill -9`, and the port is gone. */
  kill(): Promise<void>;
  /** Starts it again, with what its append-only file holds. */
  start(): Promise<void>;
  /** Lets it hang without closing connections, and go on. */
  freeze(): void;
  thaw(): void;
};

/** A real Redis for one test: private folder, unix socket, append-only file. */
export async function startRedis(extra: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'penstock-redis-'));
  const socket = join(dir, 'redis.sock');
  const url = `unix://${socket}`;
  const connections: Redis[] = [];
  let server = await launch(dir, extra);

  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
    await rm(socket, { force: true });
  };
  return {
    url,
    async connect(use = 'commands') {
      const redis = openRedis({ url, role: 'test', use, logger: silentLogger });
      connections.push(redis);
      if (redis.status !== 'ready') await once(redis, 'ready');
      return redis;
    },
    kill,
    async start() {
      server = await launch(dir, extra);
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      for (const redis of connections) redis.disconnect();
      server.kill('SIGCONT');
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function launch(dir: string, extra: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const socket = join(dir, 'redis.sock');
  const settings = {
    port: '0',
    unixsocket: socket,
    dir,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    ...extra,
  };
  const server = spawn('redis-server', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value || '""'}`);
  server.stdin?.end(`${lines.join('\n')}\n`);
  await eventually('redis-server listens', () => accepts(socket));
  return server;
}

/** The file of a socket is there a moment before anybody listens. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const said = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => said(true)).once('error', () => said(false));
  });
}
