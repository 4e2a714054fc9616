import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { awaitRedis } from '#adapters/redis/await-redis';
import { openRedis } from '#adapters/redis/connection';
import { NodeHeartbeat } from '#adapters/redis/heartbeat';
import { newNodeEpoch } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import type { Logger } from '#kernel/logger';
import { createLogger } from '#telemetry';
import { PassThrough } from 'node:stream';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';

const OPTIONS = { deadlineMs: 5_000, logger: silentLogger };

describe('waiting for Redis', () => {
  it('accepts one that keeps its keys', async () => {
    await using server = await startRedis();
    await expect(awaitRedis(await server.connect(), OPTIONS)).resolves.toBeUndefined();
  });

  it('refuses one that may throw keys away, and says what to do', async () => {
    await using server = await startRedis({ 'maxmemory-policy': 'allkeys-lru' });
    await expect(awaitRedis(await server.connect(), OPTIONS)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('set maxmemory-policy to noeviction'),
    });
  });

  it('warns of one that forgets when it restarts', async () => {
    await using server = await startRedis({ appendonly: 'no' });
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    await awaitRedis(await server.connect(), { ...OPTIONS, logger });
    expect(warnings).toEqual([expect.stringContaining('append-only')]);
  });

  it('gives up at its deadline', async () => {
    const redis = openRedis({ url: 'unix:///nowhere/redis.sock', role: 'x', logger: silentLogger });
    const waiting = awaitRedis(redis, { deadlineMs: 100, logger: silentLogger });
    await expect(waiting).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    redis.disconnect();
  });
});

describe('a connection', () => {
  it('logs its errors at most once a second, without a credential', async () => {
    const closed = createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const to = new PassThrough();
    const lines: string[] = [];
    to.on('data', (line: Buffer) => lines.push(line.toString()));
    const redis = openRedis({
      url: `redis://user:geheim@127.0.0.1:${port}/0`,
      role: 'api',
      logger: createLogger({ level: 'debug', role: 'test', to }),
    });
    let errors = 0;
    redis.on('error', () => {
      errors += 1;
    });
    await eventually('it tried several times', () => errors >= 4);
    redis.disconnect();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('ECONNREFUSED');
    expect(lines[0]).not.toContain('geheim');
  });

  it('comes back by itself within a second or so', async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    await server.kill();
    await expect(redis.ping()).rejects.toThrow('writeable');
    await server.start();
    await once(redis, 'ready');
    expect(await redis.ping()).toBe('PONG');
  });
});

describe('the heartbeat', () => {
  it('lasts while the process lives, and is taken back when it ends', async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const epoch = newNodeEpoch();
    const heartbeat = new NodeHeartbeat({ redis, prefix: 'test', epoch });
    await eventually('it beats', async () => (await redis.exists(`test:node:${epoch}`)) === 1);
    expect(await redis.smembers('test:nodes')).toEqual([epoch]);
    expect(await redis.pttl(`test:node:${epoch}`)).toBeGreaterThan(5_000);
    await heartbeat.close();
    await heartbeat.close();
    expect(await redis.exists(`test:node:${epoch}`)).toBe(0);
  });
});
