import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/processes.ts';
import { redisCommand } from '../support/redis-command.ts';
import { startSupervisor, type Supervisor } from '../support/supervisor/start.ts';

const ENTRY = fileURLToPath(new URL('../../services/supervisor/main.ts', import.meta.url));

const childPids = ({ out }: Supervisor): readonly number[] =>
  out.map((line) => JSON.parse(line)).flatMap(({ child, pid }) => (child === 'up' ? [pid] : []));

const drainedPids = ({ out }: Supervisor): readonly number[] =>
  out
    .map((line) => JSON.parse(line))
    .flatMap(({ child, pid }) => (child === 'drained' ? [pid] : []));

const nothingLeft = (supervisor: Supervisor): Promise<void> =>
  eventually('no process left', () => supervisor.processes().length === 0);

// Each has a folder and processes of its own.
vi.setConfig({ maxConcurrency: 3 });

describe.concurrent('the supervisor', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'drains everything on %s and exits with 0',
    async (signal) => {
      await using supervisor = startSupervisor();
      await supervisor.untilOut('"ready"');
      process.kill(supervisor.pid, signal);
      expect(await supervisor.ended).toBe(0);
      expect(drainedPids(supervisor)).toHaveLength(2);
      expect(supervisor.processes()).toEqual([]);
    },
  );

  it('drains api before worker', async () => {
    await using supervisor = startSupervisor();
    await supervisor.untilOut('"ready"');
    const { ready } = JSON.parse(supervisor.out.find((line) => line.includes('"ready"')) ?? '');
    process.kill(supervisor.pid, 'SIGTERM');
    await supervisor.ended;
    expect(drainedPids(supervisor)).toEqual([ready.api.pid, ready.worker.pid]);
  });

  it('leaves no process behind when it is killed, and lets its children drain', async () => {
    await using supervisor = startSupervisor();
    await supervisor.untilOut('"ready"');
    process.kill(supervisor.pid, 'SIGKILL');
    await nothingLeft(supervisor);
    await eventually('both have drained', () => drainedPids(supervisor).length >= 2);
    expect(drainedPids(supervisor)).toHaveLength(2);
  });

  it('can be started again at once after it was killed', async () => {
    await using killed = startSupervisor();
    await killed.untilOut('"ready"');
    process.kill(killed.pid, 'SIGKILL');
    await killed.ended;
    await using next = startSupervisor({ dataDir: killed.dataDir });
    await next.untilOut('"ready"');
    await eventually('both have drained', () => drainedPids(killed).length >= 2);
    expect(drainedPids(killed)).toHaveLength(2);
  });

  it('restarts a child that was killed, and that one only', async () => {
    await using supervisor = startSupervisor();
    await supervisor.untilOut('"ready"');
    const redis = supervisor.pidOf('redis-server unixsocket');
    const [killed = 0] = childPids(supervisor);
    process.kill(killed, 'SIGKILL');
    await eventually('a third child', () => childPids(supervisor).length === 3);
    expect(supervisor.pidOf('redis-server unixsocket')).toBe(redis);
    process.kill(supervisor.pid, 'SIGTERM');
    expect(await supervisor.ended).toBe(0);
    expect(supervisor.processes()).toEqual([]);
  });

  it('restarts a Redis that was killed, with what it held, while the children go on', async () => {
    await using supervisor = startSupervisor();
    await supervisor.untilOut('"ready"');
    const socket = join(supervisor.dataDir, 'redis', 'redis.sock');
    expect(await redisCommand(socket, 'SET kept yes')).toBe('+OK');
    process.kill(supervisor.pidOf('redis-server unixsocket') ?? 0, 'SIGKILL');
    const held = (): Promise<string> => redisCommand(socket, 'GET kept').catch(() => '');
    await eventually('Redis answers again', async () => (await held()).endsWith('yes'));
    expect(childPids(supervisor)).toHaveLength(2);
    process.kill(supervisor.pid, 'SIGKILL');
    await nothingLeft(supervisor);
  });

  it('keeps Redis private and never lets it forget', async () => {
    await using supervisor = startSupervisor();
    await supervisor.untilOut('"ready"');
    const socket = join(supervisor.dataDir, 'redis', 'redis.sock');
    expect(await redisCommand(socket, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
    expect(await redisCommand(socket, 'CONFIG GET appendonly')).toContain('yes');
    expect(await redisCommand(socket, 'CONFIG GET port')).toMatch(/\b0$/);
  });

  it('refuses a data folder that another supervisor uses', async () => {
    await using first = startSupervisor();
    await first.untilOut('"ready"');
    await using second = startSupervisor({ dataDir: first.dataDir });
    expect(await second.ended).toBe(1);
    expect(second.err.join('\n')).toContain(`as process ${first.pid}`);
    expect(await redisCommand(join(first.dataDir, 'redis', 'redis.sock'), 'PING')).toBe('+PONG');
  });

  it('runs in a folder whose path is too long for a socket', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'penstock-test-'));
    await using supervisor = startSupervisor({ dataDir: join(parent, 'x'.repeat(120)) });
    await supervisor.untilOut('"ready"');
    process.kill(supervisor.pid, 'SIGTERM');
    expect(await supervisor.ended).toBe(0);
    rmSync(parent, { recursive: true });
  });

  it('gives up, and leaves nothing, when a child cannot start', async () => {
    await using supervisor = startSupervisor({ env: { CHILD_FAILS: '1' } });
    expect(await supervisor.ended).toBe(1);
    expect(supervisor.err.join('\n')).toContain('ended before it was ready: exit code 1');
    await nothingLeft(supervisor);
  });

  it('says what to install when there is no Redis', async () => {
    await using supervisor = startSupervisor({
      entry: ENTRY,
      env: { REDIS_SERVER_PATH: '/nowhere/redis' },
    });
    expect(await supervisor.ended).toBe(1);
    expect(supervisor.err[0]).toContain('apt-get install redis-server');
  });

  it('tells a worker without a Redis what it needs', async () => {
    await using supervisor = startSupervisor({ env: { ROLES: 'worker' } });
    expect(await supervisor.ended).toBe(1);
    expect(supervisor.err.join('\n')).toContain('needs REDIS_URL');
  });

  it('lets a second worker use the Redis that already runs on the same data', async () => {
    await using first = startSupervisor();
    await first.untilOut('"ready"');
    await using second = startSupervisor({ dataDir: first.dataDir, env: { ROLES: 'worker' } });
    await second.untilOut('"ready"');
    process.kill(second.pid, 'SIGTERM');
    expect(await second.ended).toBe(0);
    expect(await redisCommand(join(first.dataDir, 'redis', 'redis.sock'), 'PING')).toBe('+PONG');
  });

  it('prints every configuration problem and starts nothing', async () => {
    await using supervisor = startSupervisor({ entry: ENTRY, env: { PORT: 'x', ROLES: 'y' } });
    expect(await supervisor.ended).toBe(1);
    expect(supervisor.err.join('\n')).toMatch(/PORT[^]*ROLES/);
  });
});

async function startProgram(): Promise<Supervisor> {
  const program = startSupervisor({ entry: ENTRY, env: { HOST: '127.0.0.1' } });
  try {
    await program.untilOut('Penstock is ready at ');
    return program;
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

describe.concurrent('the whole program', () => {
  it('says where it can be reached, and can be', async () => {
    await using program = await startProgram();
    const [line = ''] = program.out;
    const url = /ready at (\S+), docs at \1\/docs, data in (\S+), pid (\d+)\./.exec(line);
    expect(url?.slice(2)).toEqual([program.dataDir, String(program.pid)]);
    const response = await fetch(`${url?.[1]}/healthz`);
    expect(await response.json()).toMatchObject({ status: 'ok', redis: 'ok' });
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGKILL', null],
  ] as const)('leaves no process behind after %s', async (signal, code) => {
    await using program = await startProgram();
    expect(program.processes().length).toBeGreaterThanOrEqual(4);
    process.kill(program.pid, signal);
    expect(await program.ended).toBe(code);
    await nothingLeft(program);
    expect(program.err.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
