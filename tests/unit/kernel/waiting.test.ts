import { describe, expect, it } from 'vitest';
import { sleep } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import { TestClock } from '../../support/test-clock.ts';

const LEFT = new Error('left');

describe('sleep', () => {
  it('ends when the time has come, and not before', async () => {
    const clock = new TestClock();
    let awake = false;
    void sleep(clock, 100, new AbortController().signal).then(() => (awake = true));
    await clock.advance(99);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
  });

  it('ends with the reason of the signal, and leaves no timer', async () => {
    const clock = new TestClock();
    const leaving = new AbortController();
    const sleeping = sleep(clock, 100, leaving.signal);
    leaving.abort(LEFT);
    await expect(sleeping).rejects.toBe(LEFT);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not begin when the signal has aborted already', async () => {
    const clock = new TestClock();
    await expect(sleep(clock, 100, AbortSignal.abort(LEFT))).rejects.toBe(LEFT);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('orAbort', () => {
  it('gives the outcome of the promise', async () => {
    const { signal } = new AbortController();
    await expect(orAbort(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(orAbort(Promise.reject(LEFT), signal)).rejects.toBe(LEFT);
  });

  it('gives the reason of a signal that aborts first', async () => {
    const leaving = new AbortController();
    const waiting = orAbort(new Promise(() => {}), leaving.signal);
    leaving.abort(LEFT);
    await expect(waiting).rejects.toBe(LEFT);
    await expect(orAbort(Promise.resolve(1), leaving.signal)).rejects.toBe(LEFT);
  });
});
