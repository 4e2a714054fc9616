import { describe, expect, it } from 'vitest';
import { silentLogger } from '#kernel/logger';
import { KeptProcess } from '../../../services/supervisor/kept-process.ts';
import type { Launched } from '../../../services/supervisor/launched.ts';
import { settle, TestClock } from '../../support/test-clock.ts';

/** One life, ended by the test. */
function life(ready: Promise<object> = Promise.resolve({ port: 1 })) {
  const { promise: exited, resolve: end } = Promise.withResolvers<string>();
  const stops: number[] = [];
  const launched: Launched = {
    pid: 1,
    ready: ready as Launched['ready'],
    exited,
    stop: async (graceMs) => {
      stops.push(graceMs);
      end('SIGTERM');
    },
  };
  return { launched, end, stops };
}

function kept(firstReady?: Promise<object>) {
  const clock = new TestClock();
  const lives: ReturnType<typeof life>[] = [];
  const process = new KeptProcess({
    name: 'api',
    launch: () => {
      lives.push(life(lives.length === 0 ? firstReady : undefined));
      return lives.at(-1)!.launched;
    },
    logger: silentLogger,
    clock,
    timers: clock,
    random: () => 0,
  });
  const endLast = async (): Promise<void> => {
    lives.at(-1)!.end('SIGKILL');
    await settle();
  };
  return { process, clock, lives, endLast };
}

describe('a kept process', () => {
  it('gives what its first life told', async () => {
    await expect(kept().process.start()).resolves.toEqual({ port: 1 });
  });

  it('is not kept when its first life did not come up', async () => {
    const failing = Promise.reject(new Error('port in use'));
    const { process, clock, lives, endLast } = kept(failing);
    await expect(process.start()).rejects.toThrow('port in use');
    await endLast();
    await clock.advance(60_000);
    expect(lives).toHaveLength(1);
  });

  it('waits longer after each short life, up to half a minute', async () => {
    const { process, clock, lives, endLast } = kept();
    await process.start();
    for (const delayMs of [100, 300, 900, 2_700, 8_100, 24_300, 30_000, 30_000]) {
      const before = lives.length;
      await endLast();
      await clock.advance(delayMs - 1);
      expect(lives).toHaveLength(before);
      await clock.advance(1);
      expect(lives).toHaveLength(before + 1);
    }
  });

  it('forgets its failures after a minute of life', async () => {
    const { process, clock, lives, endLast } = kept();
    await process.start();
    await endLast();
    await clock.advance(100);
    await endLast();
    await clock.advance(300);
    await clock.advance(60_000);
    await endLast();
    await clock.advance(100);
    expect(lives).toHaveLength(4);
  });

  it('is let drain once, however often it is closed, and not restarted', async () => {
    const { process, clock, lives } = kept();
    await process.start();
    await Promise.all([process.close(500), process.close(700)]);
    await clock.advance(60_000);
    expect(lives.map(({ stops }) => stops)).toEqual([[500]]);
  });

  it('does not come back when it is closed between two lives', async () => {
    const { process, clock, lives, endLast } = kept();
    await process.start();
    await endLast();
    await process.close(500);
    await clock.advance(60_000);
    expect(lives).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
