import { describe, expect, it } from 'vitest';
import { ReadAhead, ThrottledSink, TokenBucket } from '#relay';
import { TestClock } from '../../support/test-clock.ts';
import { TestSink } from '../../support/test-sink.ts';

const RATE = 100_000;

function throttled() {
  const clock = new TestClock();
  const sink = new TestSink();
  const bucket = new TokenBucket(RATE, clock);
  return { clock, sink, throttle: new ThrottledSink({ sink, bucket, timers: clock }) };
}

describe('a throttle', () => {
  it('spreads what it gets at its rate, in slices, in order', async () => {
    const { clock, sink, throttle } = throttled();
    const sent = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
    let isFlushed = false;
    throttle.write([sent], () => (isFlushed = true));
    await clock.advance(1_000);
    expect(sink.gotBytes).toBeGreaterThanOrEqual(RATE * 0.95);
    expect(sink.gotBytes).toBeLessThanOrEqual(RATE * 1.1);
    expect(Math.max(...sink.got.map(({ length }) => length))).toBe(RATE / 20);
    expect({ isFlushed, pending: throttle.pendingBytes > 0 }).toEqual({
      isFlushed: false,
      pending: true,
    });
    await clock.advance(1_000);
    expect(Buffer.concat(sink.got).equals(sent)).toBe(true);
    expect({ isFlushed, pending: throttle.pendingBytes }).toEqual({ isFlushed: true, pending: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('makes up for the time in which there was nothing to send', async () => {
    const { clock, sink, throttle } = throttled();
    throttle.write([Buffer.alloc(RATE)], () => {});
    await clock.advance(1_000);
    await clock.advance(1_000); // The source is silent.
    throttle.write([Buffer.alloc(2 * RATE)], () => {});
    await clock.advance(1_000);
    expect(sink.gotBytes).toBeGreaterThanOrEqual(3 * RATE * 0.95);
  });

  it('makes up for two seconds at most', async () => {
    const { clock, sink, throttle } = throttled();
    await clock.advance(60_000);
    throttle.write([Buffer.alloc(10 * RATE)], () => {});
    expect(sink.gotBytes).toBeLessThanOrEqual(2 * RATE);
    await clock.advance(1_000);
    expect(sink.gotBytes).toBeLessThanOrEqual(3.1 * RATE);
  });

  it('begins with a slice, not with a burst', () => {
    const { sink, throttle } = throttled();
    throttle.write([Buffer.alloc(RATE)], () => {});
    expect(sink.gotBytes).toBe(RATE / 20);
  });

  it('goes at a rate of a few bytes, and at one of gigabytes', async () => {
    for (const rate of [3, 10e9]) {
      const clock = new TestClock();
      const sink = new TestSink();
      const bucket = new TokenBucket(rate, clock);
      const throttle = new ThrottledSink({ sink, bucket, timers: clock });
      throttle.write([Buffer.alloc(30)], () => {});
      await clock.advance(10_000);
      expect(sink.gotBytes).toBeGreaterThanOrEqual(29);
    }
  });

  it('frees all memory and leaves no timer when it is closed, also twice', () => {
    const { clock, throttle } = throttled();
    let freed = 0;
    for (let n = 0; n < 3; n += 1) throttle.write([Buffer.alloc(RATE)], () => (freed += 1));
    throttle.close();
    throttle.close();
    throttle.write([Buffer.alloc(1)], () => (freed += 1));
    expect({ freed, timers: clock.pendingTimers, pending: throttle.pendingBytes }).toEqual({
      freed: 4,
      timers: 0,
      pending: 0,
    });
  });
});

const CAPACITY = 10_000;

function readAhead(fillBytes = 0) {
  const clock = new TestClock();
  const sink = new TestSink(false);
  const ahead = new ReadAhead({ sink, capacityBytes: CAPACITY, fillBytes, timers: clock });
  return { clock, sink, ahead };
}

describe('reading ahead', () => {
  it('takes up to its bound from a source that is faster than the viewer, and no more', () => {
    const { ahead } = readAhead();
    let freed = 0;
    for (let n = 0; n < 10; n += 1) ahead.write([Buffer.alloc(1_000)], () => (freed += 1));
    expect({ freed, kept: ahead.keptBytes, waits: ahead.pendingBytes }).toEqual({
      freed: 10,
      kept: CAPACITY,
      waits: 0,
    });
    ahead.write([Buffer.alloc(1_000)], () => (freed += 1));
    expect({ freed, kept: ahead.keptBytes, waits: ahead.pendingBytes }).toEqual({
      freed: 10,
      kept: CAPACITY,
      waits: 1_000,
    });
  });

  it('gives every byte in order, though the lent memory is used again', () => {
    const { sink, ahead } = readAhead();
    const lent = Buffer.alloc(3_000);
    const sent: Buffer[] = [];
    for (let n = 0; n < 50; n += 1) {
      sent.push(Buffer.from(lent.fill(n)));
      ahead.write([lent], () => {});
      while (ahead.pendingBytes > 0) sink.drain();
    }
    while (ahead.keptBytes > 0) sink.drain();
    expect(Buffer.concat(sink.got).equals(Buffer.concat(sent))).toBe(true);
  });

  it('takes a piece that is larger than all of it', () => {
    const { sink, ahead } = readAhead();
    ahead.write([Buffer.alloc(3 * CAPACITY)], () => {});
    expect({ got: sink.gotBytes, waits: ahead.pendingBytes }).toEqual({
      got: 3 * CAPACITY,
      waits: 0,
    });
  });

  it('holds the first byte back until it is filled', () => {
    const { sink, ahead } = readAhead(5_000);
    for (let n = 0; n < 4; n += 1) ahead.write([Buffer.alloc(1_000)], () => {});
    expect(sink.gotBytes).toBe(0);
    ahead.write([Buffer.alloc(1_000)], () => {});
    expect(sink.gotBytes).toBe(1_000);
  });

  it('holds it back for five seconds at most, and not when no more comes', async () => {
    const slow = readAhead(5_000);
    slow.ahead.write([Buffer.alloc(100)], () => {});
    await slow.clock.advance(4_999);
    expect(slow.sink.gotBytes).toBe(0);
    await slow.clock.advance(1);
    expect(slow.sink.gotBytes).toBe(100);
    const short = readAhead(5_000);
    short.ahead.write([Buffer.alloc(100)], () => {});
    short.ahead.startNow();
    expect(short.sink.gotBytes).toBe(100);
    expect(short.clock.pendingTimers).toBe(0);
  });

  it('does not wait for more than it can hold', () => {
    const { sink, ahead } = readAhead(CAPACITY);
    ahead.write([Buffer.alloc(9_000)], () => {});
    ahead.write([Buffer.alloc(9_000)], () => {});
    expect(sink.gotBytes).toBe(9_000);
  });

  it('gives all memory back when it is closed, also twice', () => {
    const { clock, ahead } = readAhead(5_000);
    let freed = 0;
    for (let n = 0; n < 2; n += 1) ahead.write([Buffer.alloc(CAPACITY)], () => (freed += 1));
    ahead.close();
    ahead.close();
    expect({ freed, kept: ahead.keptBytes, timers: clock.pendingTimers }).toEqual({
      freed: 2,
      kept: 0,
      timers: 0,
    });
  });
});
