import { describe, expect, it } from 'vitest';
import { ReadRest } from '../../../services/delivery/live/read-rest.ts';
import { TestClock } from '../../support/test-clock.ts';

const LITTLE = 10_000;
const MUCH = 50_000;

function startRest(isLong = false) {
  const clock = new TestClock();
  let ends = 0;
  const rest = new ReadRest({
    isLong: () => isLong,
    clock,
    timers: clock,
    over: () => (ends += 1),
  });
  return { clock, rest, ends: () => ends };
}

describe('reading a source', () => {
  it('goes on at once in its first two seconds, however little comes', async () => {
    const { clock, rest } = startRest();
    expect(rest.begins(LITTLE)).toBe(false);
    await clock.advance(1_900);
    expect(rest.begins(LITTLE)).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rests for 25 ms after a read that brought little', async () => {
    const { clock, rest, ends } = startRest();
    await clock.advance(2_000);
    expect(rest.begins(LITTLE)).toBe(true);
    await clock.advance(24);
    expect(ends()).toBe(0);
    await clock.advance(1);
    expect(ends()).toBe(1);
    expect(rest.begins(LITTLE)).toBe(true);
    await clock.advance(25);
    expect(ends()).toBe(2);
  });

  it('rests for 45 ms where one viewer has the source and there is no other to go to', async () => {
    const { clock, rest, ends } = startRest(true);
    await clock.advance(2_000);
    rest.begins(LITTLE);
    await clock.advance(44);
    expect(ends()).toBe(0);
    await clock.advance(1);
    expect(ends()).toBe(1);
  });

  it('goes on at once while much comes', async () => {
    const { clock, rest } = startRest();
    await clock.advance(2_000);
    expect(rest.begins(MUCH)).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('has one rest at a time, whoever goes on meanwhile', async () => {
    const { clock, rest, ends } = startRest();
    await clock.advance(2_000);
    rest.begins(LITTLE);
    await clock.advance(10);
    rest.begins(LITTLE);
    await clock.advance(100);
    expect(ends()).toBe(1);
  });

  it('that has stopped is not gone on with', async () => {
    const { clock, rest, ends } = startRest();
    await clock.advance(2_000);
    rest.begins(LITTLE);
    rest.stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(100);
    expect(ends()).toBe(0);
    expect(rest.begins(LITTLE)).toBe(false);
  });
});
