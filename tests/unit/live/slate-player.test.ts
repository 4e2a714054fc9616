import { describe, expect, it } from 'vitest';
import { readClip } from '#mpegts';
import { MAX_LEAD_MS, SlatePlayer } from '../../../services/delivery/live/slate-player.ts';
import { TestClock } from '../../support/test-clock.ts';
import { simpleStream } from '../../support/ts-build.ts';

/** Two seconds of pictures. */
const clip = (() => {
  const read = readClip(simpleStream({ pictures: 50 }));
  if (typeof read === 'string') throw new Error(read);
  return read;
})();

function startPlayer({ silentMs = 0, takes = (): boolean => true } = {}) {
  const clock = new TestClock();
  const chunks: Buffer[] = [];
  let loops = 0;
  const target = {
    push: (packets: Buffer): boolean => {
      chunks.push(packets);
      return takes();
    },
    cut: (): void => {
      loops += 1;
    },
  };
  const player = new SlatePlayer({ clip, target, silentMs, clock, timers: clock });
  player.start();
  return {
    clock,
    player,
    chunks,
    loops: () => loops,
    bytes: () => chunks.reduce((sum, { length }) => sum + length, 0),
  };
}

describe('a slate', () => {
  it('is sent as fast as it is watched, and again and again', async () => {
    const { clock, bytes, loops } = startPlayer();
    await clock.advance(20_000);
    const rate = bytes() / ((clip.packets.length / clip.durationMs) * 20_000);
    expect(rate).toBeGreaterThan(0.98);
    expect(rate).toBeLessThan(1.02);
    expect(loops()).toBe(10);
  });

  it('is whole: every loop has every byte of the clip', async () => {
    const { clock, chunks } = startPlayer();
    await clock.advance(clip.durationMs * 3);
    const sent = Buffer.concat(chunks).subarray(0, clip.packets.length * 3);
    expect(sent.equals(Buffer.concat([clip.packets, clip.packets, clip.packets]))).toBe(true);
  });

  it('never sends more than two seconds at once, however long viewers have had nothing', () => {
    const { bytes } = startPlayer({ silentMs: 60_000 });
    const seconds = bytes() / (clip.packets.length / clip.durationMs) / 1000;
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(MAX_LEAD_MS / 1000 + 0.1);
  });

  it('makes up for the silence before it', () => {
    const { bytes } = startPlayer({ silentMs: 1000 });
    const seconds = bytes() / (clip.packets.length / clip.durationMs) / 1000;
    expect(seconds).toBeGreaterThan(0.95);
    expect(seconds).toBeLessThan(1.1);
  });

  it('waits for a viewer that reads slowly, and does not flood it afterwards', async () => {
    let isTaking = true;
    const { clock, player, bytes } = startPlayer({ takes: () => isTaking });
    isTaking = false;
    await clock.advance(30_000);
    const before = bytes();
    expect(clock.pendingTimers).toBe(0);
    isTaking = true;
    player.resume();
    const seconds = (bytes() - before) / (clip.packets.length / clip.durationMs) / 1000;
    expect(seconds).toBeLessThan(MAX_LEAD_MS / 1000 + 0.1);
  });

  it('sends nothing once it is closed, also from within what it sends', async () => {
    const { clock, player, bytes } = startPlayer();
    player.close();
    player.close();
    const before = bytes();
    await clock.advance(5000);
    expect([bytes(), clock.pendingTimers]).toEqual([before, 0]);
    let isOver = false;
    const second = startPlayer({
      takes: () => {
        if (isOver) second.player.close();
        return true;
      },
    });
    isOver = true;
    await second.clock.advance(5000);
    expect(second.clock.pendingTimers).toBe(0);
    expect(second.chunks.length).toBe(2);
  });
});
