import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const CHILD = fileURLToPath(new URL('../support/lifecycle-child.ts', import.meta.url));

/** Starts the child, lets `act` have its way with it, and gives how it ended. */
async function lifeOf(life: string, act: (child: ChildProcess) => unknown = () => {}) {
  const child = fork(CHILD, [life], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  const output = Promise.all([text(child.stdout!), text(child.stderr!)]);
  const ended = once(child, 'exit');
  await act(child);
  const [code, signal] = await ended;
  const [out, err] = await output;
  return { code, signal, out, err };
}

const ready = (child: ChildProcess): Promise<unknown[]> => once(child, 'message');

const log = (child: ChildProcess, message: string): Promise<void> =>
  new Promise((resolve) => {
    child.stderr?.on('data', (bytes) => {
      if (String(bytes).includes(message)) resolve();
    });
  });

describe('a process', () => {
  it('tells its parent when it is ready', async () => {
    await lifeOf('well', async (child) => {
      expect(await ready(child)).toEqual([{ kind: 'ready', port: 80 }, undefined]);
      child.kill('SIGTERM');
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('closes and exits with 0 on %s', async (signal) => {
    const { code, out } = await lifeOf('well', async (child) => {
      await ready(child);
      child.kill(signal);
    });
    expect([code, out]).toEqual([0, 'closed\n']);
  });

  it('closes and exits with 0 when its parent is gone', async () => {
    const { code, out } = await lifeOf('well', async (child) => {
      await ready(child);
      child.disconnect();
    });
    expect([code, out]).toEqual([0, 'closed\n']);
  });

  it('closes once, however many reasons there are', async () => {
    const { code, out } = await lifeOf('well', async (child) => {
      await ready(child);
      child.kill('SIGTERM');
      child.disconnect();
    });
    expect([code, out]).toEqual([0, 'closed\n']);
  });

  it('exits at once on a second signal', async () => {
    const { code, out, err } = await lifeOf('drain-hangs', async (child) => {
      await ready(child);
      const draining = log(child, 'draining');
      child.kill('SIGINT');
      await draining;
      child.kill('SIGINT');
    });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('second signal');
  });

  it.each([
    ['drain-hangs', 'draining took too long'],
    ['drain-fails', 'did not close'],
    ['start-hangs', 'draining took too long'],
  ])('of which it is said "%s" ends with 1 and says so', async (life, said) => {
    const { code, err } = await lifeOf(life, async (child) => {
      await (life === 'start-hangs' ? once(child.stdout!, 'data') : ready(child));
      child.kill('SIGTERM');
    });
    expect(code).toBe(1);
    expect(err).toContain(said);
  });

  it('that cannot start says why, without credentials, and ends with 1', async () => {
    const { code, err } = await lifeOf('start-fails');
    expect(code).toBe(1);
    expect(err).toContain('cannot reach http://host/…');
    expect(err).not.toContain('s3cret');
  });

  it.each(['throws', 'rejects'])(
    'that %s where nobody catches drains and ends with 1',
    async (life) => {
      const { code, out, err } = await lifeOf(life);
      expect([code, out]).toEqual([1, 'closed\n']);
      expect(err).toContain('nobody catches this');
    },
  );
});
