import { describe, expect, it } from 'vitest';
import { Rounds } from '#kernel/rounds';
import { Silences } from '#kernel/silences';
import { TestClock } from '../../support/test-clock.ts';

const INTERVAL_MS = 1_000;

function start(round: () => Promise<void>) {
  const timers = new TestClock();
  const failures: [unknown, boolean][] = [];
  const failed = (error: unknown, isNew: boolean) => void failures.push([error, isNew]);
  return {
    timers,
    failures,
    rounds: new Rounds({ timers, intervalMs: INTERVAL_MS, round, failed }),
  };
}

describe('rounds', () => {
  it('begin at once, and again an interval after the end of the one before', async () => {
    let begun = 0;
    let held = Promise.withResolvers<void>();
    const { timers } = start(() => {
      begun += 1;
      return held.promise;
    });
    await timers.advance(5 * INTERVAL_MS);
    expect(begun).toBe(1);
    held.resolve();
    held = Promise.withResolvers();
    await timers.advance(INTERVAL_MS - 1);
    expect(begun).toBe(1);
    await timers.advance(1);
    expect(begun).toBe(2);
  });

  it('go on when they fail, and tell which failure is a new one', async () => {
    const outcomes = ['bad', 'bad', 'good', 'bad'];
    const { timers, failures } = start(async () => {
      if (outcomes.shift() === 'bad') throw new Error('no');
    });
    await timers.advance(3 * INTERVAL_MS);
    expect(outcomes).toEqual([]);
    expect(failures.map(([, isNew]) => isNew)).toEqual([true, false, true]);
  });

  it('are closed when the one under way is over, and leave no timer', async () => {
    const held = Promise.withResolvers<void>();
    const { timers, rounds } = start(() => held.promise);
    let isClosed = false;
    const closing = rounds.close().then(() => (isClosed = true));
    await timers.advance(INTERVAL_MS);
    expect(isClosed).toBe(false);
    held.resolve();
    await closing;
    await rounds.close();
    expect(timers.pendingTimers).toBe(0);
  });
});

describe('silences', () => {
  it('are counted from the first look, as long as nothing is heard in between', () => {
    const silences = new Silences<string>();
    expect([...silences.look(['a', 'b'], 1_000)]).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    expect([...silences.look(['a'], 3_000)]).toEqual([['a', 2_000]]);
    expect(silences.look(['a', 'b'], 4_000).get('b')).toBe(0);
    silences.forget('a');
    expect([...silences.look(['a', 'b'], 5_000).values()]).toEqual([0, 1_000]);
    silences.clear();
    expect([...silences.look(['a', 'b'], 9_000).values()]).toEqual([0, 0]);
  });
});
