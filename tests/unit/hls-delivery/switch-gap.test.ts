import { describe, expect, it } from 'vitest';
import type { Source, SwitchTiming } from '#streams';
import { SwitchGap } from '../../../services/delivery/hls/playlists/switch-gap.ts';
import { sourceTagOf } from '../../../services/delivery/viewing/source-tag.ts';
import { TestClock } from '../../support/test-clock.ts';

const sourceAt = (url: string): Source => ({ url, index: 0, headers: {} });
const a = sourceTagOf(sourceAt('http://a/'));
const b = sourceTagOf(sourceAt('http://b/'));

function start() {
  const clock = new TestClock();
  const told: (SwitchTiming | undefined)[] = [];
  const flowing = (timing?: SwitchTiming): void => void told.push(timing);
  const walk = { current: sourceAt('http://a/'), flowing };
  const gap = new SwitchGap({ walk, clock, timers: clock });
  /** A source answers with segments that are new. */
  const give = (source: string): void => {
    gap.asked(source);
    gap.news(source);
    gap.came(source);
  };
  return { clock, told, walk, gap, give };
}

/** `a` has been shown, fails after two seconds, and `b` is moved to. */
async function startLeft() {
  const world = start();
  world.give(a);
  world.told.length = 0;
  await world.clock.advance(2_000);
  world.gap.asked(a);
  world.gap.missed(a);
  world.walk.current = sourceAt('http://b/');
  return world;
}

describe('what a switch of playlists took', () => {
  it('is not told as long as the source stays the same', async () => {
    const { clock, told, give } = start();
    give(a);
    await clock.advance(5_000);
    give(a);
    expect(told).toEqual([undefined, undefined]);
  });

  it('counts from the last news of the old source, and is told once', async () => {
    const { clock, told, gap, give } = await startLeft();
    await clock.advance(1_000);
    gap.asked(b);
    await clock.advance(300);
    give(b);
    give(b);
    expect(told).toEqual([{ gapMs: 3_300, detectionMs: 2_000, connectMs: 300 }, undefined]);
  });

  it('counts the last try of a source that failed at first', async () => {
    const { clock, told, gap, give } = await startLeft();
    gap.asked(b);
    await clock.advance(1_000);
    gap.missed(b);
    gap.asked(b);
    await clock.advance(200);
    give(b);
    expect(told).toEqual([{ gapMs: 3_200, detectionMs: 2_000, connectMs: 200 }]);
  });

  it('is the same when the source that had failed is the first to work again', async () => {
    const { clock, told, walk, gap, give } = await startLeft();
    gap.asked(b);
    gap.missed(b);
    walk.current = sourceAt('http://a/');
    await clock.advance(1_000);
    give(a);
    expect(told).toEqual([{ gapMs: 3_000, detectionMs: 2_000, connectMs: 0 }]);
  });

  it('goes to whoever tells first, where several load at once', async () => {
    const { told, gap } = await startLeft();
    gap.asked(b);
    gap.news(b);
    gap.news(b);
    gap.came(b);
    gap.came(b);
    expect(told).toEqual([{ gapMs: 2_000, detectionMs: 2_000, connectMs: 0 }, undefined]);
  });

  it('has been noticed here when another reader has moved the stream on', async () => {
    const { clock, told, give } = start();
    give(a);
    await clock.advance(1_500);
    give(b);
    expect(told.at(-1)).toEqual({ gapMs: 1_500, detectionMs: 1_500, connectMs: 0 });
  });

  it('is told without figures when no segments are asked for in ten seconds', async () => {
    const { clock, told, gap } = await startLeft();
    gap.asked(b);
    gap.came(b);
    await clock.advance(9_000);
    expect(told).toEqual([]);
    await clock.advance(1_000);
    expect(told).toEqual([undefined]);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['it fails meanwhile', ({ gap }: ReturnType<typeof start>) => gap.missed(b)],
    ['nobody serves the stream any more', ({ gap }: ReturnType<typeof start>) => gap.close()],
    [
      'the stream has left it meanwhile',
      ({ walk }: ReturnType<typeof start>) => void (walk.current = sourceAt('http://c/')),
    ],
  ])('is not told for a source that gave no segments when %s', async (_name, happen) => {
    const world = await startLeft();
    world.gap.asked(b);
    world.gap.came(b);
    happen(world);
    await world.clock.advance(20_000);
    expect(world.told).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is not known where nobody has asked for two minutes', async () => {
    const { clock, told, give } = await startLeft();
    await clock.advance(121_000);
    give(b);
    expect(told).toEqual([undefined]);
  });
});
