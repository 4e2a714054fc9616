import { describe, expect, it } from 'vitest';
import { Relay } from '#relay';
import type { RelayInput, ViewerSink } from '#relay';
import { TestClock } from '../../support/test-clock.ts';
import { TestSink } from '../../support/test-sink.ts';

const BATCH = 348 * 188;

const TABLES = Buffer.alloc(2 * 188, 0xaa);

const bytes = (...parts: Buffer[]): RelayInput => ({ parts, joins: [] });

/** Packets of one byte value, with a keyframe at the beginning. */
const picture = (packets: number, mark: number): RelayInput => ({
  parts: [Buffer.alloc(packets * 188, mark)],
  joins: [{ at: 0, tables: TABLES }],
});

function startRelay(isLossless: boolean, budgetBytes = 10 * BATCH) {
  const clock = new TestClock();
  const counts = { resumed: 0, served: 0 };
  const dropped: ViewerSink[] = [];
  const relay = new Relay({
    isLossless,
    budgetBytes,
    patienceMs: 60_000,
    clock,
    timers: clock,
    dropped: (sink) => void dropped.push(sink),
    resume: () => void (counts.resumed += 1),
    served: (_sink, count) => void (counts.served += count),
  });
  return { relay, clock, counts, dropped };
}

describe('a relay before its first viewer', () => {
  it('holds the first bytes, stops the source, and hands them to the first viewer', () => {
    const { relay, counts } = startRelay(true);
    const lent = Buffer.from('first');
    expect(relay.push(bytes(lent))).toBe(false);
    lent.fill(0);
    const sink = new TestSink();
    relay.attach(sink);
    expect(Buffer.concat(sink.got).toString()).toBe('first');
    expect(counts).toEqual({ resumed: 1, served: 5 });
  });
});

describe('a shared relay before its first viewers', () => {
  it('hands the first bytes to all who come with the first, and then lets the source go on', async () => {
    const { relay, clock, counts } = startRelay(false);
    relay.push(bytes(Buffer.from('first')));
    const [early, late] = [new TestSink(), new TestSink()];
    relay.attach(early);
    relay.attach(late);
    expect([early, late].map((sink) => Buffer.concat(sink.got).toString())).toEqual([
      'first',
      'first',
    ]);
    expect(counts.resumed).toBe(0);
    await clock.advance(75);
    expect(counts.resumed).toBe(1);
  });
});

describe('a relay with one viewer', () => {
  it('slows its source to the pace of the viewer and loses nothing', () => {
    const { relay, counts } = startRelay(true);
    const sink = new TestSink(false);
    relay.attach(sink);
    expect(counts.resumed).toBe(1);
    expect(relay.push(bytes(Buffer.from('a'), Buffer.from('b')))).toBe(false);
    expect(counts.resumed).toBe(1);
    sink.drain();
    expect(counts.resumed).toBe(2);
    expect(Buffer.concat(sink.got).toString()).toBe('ab');
  });

  it('hands over together what came together', () => {
    const { relay, counts } = startRelay(true);
    const sink = new TestSink();
    relay.attach(sink);
    relay.push(bytes(Buffer.from('a'), Buffer.from('b'), Buffer.from('c')));
    expect(sink.writes).toBe(1);
    expect(counts.served).toBe(3);
  });

  it('goes on at once while the network takes everything', () => {
    const { relay } = startRelay(true);
    relay.attach(new TestSink());
    expect(relay.push(bytes(Buffer.from('a')))).toBe(true);
  });
});

describe('a relay with many viewers', () => {
  it('gives every viewer the same batches, and copies what was lent', async () => {
    const { relay, clock, counts } = startRelay(false);
    const sinks = [new TestSink(), new TestSink(), new TestSink()];
    for (const sink of sinks) relay.attach(sink);
    await clock.advance(75);
    const lent = Buffer.alloc(BATCH + 188, 7);
    expect(relay.push(bytes(lent))).toBe(true);
    lent.fill(0);
    relay.flush();
    for (const sink of sinks) {
      expect(sink.got.map(({ length }) => length)).toEqual([BATCH, 188]);
      expect(Buffer.concat(sink.got).every((byte) => byte === 7)).toBe(true);
    }
    expect(counts.served).toBe(3 * (BATCH + 188));
  });

  it('sends a part of a batch after 75 ms', async () => {
    const { relay, clock } = startRelay(false);
    const sink = new TestSink();
    relay.attach(sink);
    await clock.advance(75);
    relay.push(bytes(Buffer.alloc(188)));
    expect(sink.gotBytes).toBe(0);
    await clock.advance(75);
    expect(sink.gotBytes).toBe(188);
    relay.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets a slow viewer skip, in whole batches, and slows nobody', async () => {
    const { relay, clock } = startRelay(false, 3 * BATCH);
    const slow = new TestSink(false);
    const fast = new TestSink();
    relay.attach(slow);
    relay.attach(fast);
    await clock.advance(75);
    for (let n = 0; n < 10; n += 1) expect(relay.push(bytes(Buffer.alloc(BATCH, n)))).toBe(true);
    expect(fast.got).toHaveLength(10);
    expect(slow.got.map((batch) => batch[0])).toEqual([0, 1, 2]);
    slow.drain();
    relay.push(bytes(Buffer.alloc(BATCH, 99)));
    expect(slow.got.map((batch) => batch[0])).toEqual([0, 1, 2, 99]);
  });

  it('lets a viewer leave without disturbing the others', async () => {
    const { relay, clock } = startRelay(false);
    const [stays, leaves] = [new TestSink(), new TestSink()];
    relay.attach(stays);
    relay.attach(leaves);
    await clock.advance(75);
    relay.detach(leaves);
    relay.push(bytes(Buffer.alloc(BATCH)));
    expect(stays.gotBytes).toBe(BATCH);
    expect(leaves.gotBytes).toBe(0);
  });
});

/** A shared relay with a viewer; `join` gives what another one gets at once. */
async function startWatched() {
  const bench = startRelay(false);
  bench.relay.attach(new TestSink());
  await bench.clock.advance(75);
  const join = (): Buffer => {
    const sink = new TestSink();
    bench.relay.attach(sink);
    return Buffer.concat(sink.got);
  };
  return { ...bench, join };
}

describe('a viewer that comes later', () => {
  it('gets the tables and the stream since the last keyframe, at once', async () => {
    const { relay, join } = await startWatched();
    relay.push(picture(10, 1));
    relay.push(bytes(Buffer.alloc(188, 2)));
    relay.push(picture(400, 3));
    relay.push(bytes(Buffer.alloc(188, 4)));
    const expected = [TABLES, Buffer.alloc(400 * 188, 3), Buffer.alloc(188, 4)];
    expect(join().equals(Buffer.concat(expected))).toBe(true);
  });

  it('finds the keyframe inside of a part, and behind others', async () => {
    const { relay, join } = await startWatched();
    const [before, after] = [Buffer.alloc(5 * 188, 1), Buffer.alloc(5 * 188, 2)];
    relay.push({
      parts: [before, Buffer.concat([before, after])],
      joins: [{ at: 10 * 188, tables: TABLES }],
    });
    expect(join().equals(Buffer.concat([TABLES, after]))).toBe(true);
  });

  it('has a keyframe among the bytes that the first viewers waited for', async () => {
    const { relay, clock } = startRelay(false);
    relay.push(picture(3, 7));
    relay.attach(new TestSink());
    await clock.advance(75);
    const late = new TestSink();
    relay.attach(late);
    expect(Buffer.concat(late.got).equals(Buffer.concat([TABLES, Buffer.alloc(3 * 188, 7)]))).toBe(
      true,
    );
  });

  it('begins with the next batch where no keyframe is known', async () => {
    const { relay, join } = await startWatched();
    relay.push(bytes(Buffer.alloc(188)));
    expect(join()).toHaveLength(0);
  });

  it('waits for the next keyframe when the last one is too far back to keep', async () => {
    const { relay, join } = await startWatched();
    relay.push(picture(1, 1));
    for (let n = 0; n < 130; n += 1) relay.push(bytes(Buffer.alloc(BATCH)));
    expect(join()).toHaveLength(0);
    relay.push(picture(1, 2));
    expect(join().equals(Buffer.concat([TABLES, Buffer.alloc(188, 2)]))).toBe(true);
  });

  it('that skipped goes on from the last keyframe', async () => {
    const { relay, clock } = startRelay(false, 3 * BATCH);
    const slow = new TestSink(false);
    relay.attach(slow);
    await clock.advance(75);
    for (let n = 0; n < 6; n += 1) relay.push(bytes(Buffer.alloc(BATCH, n)));
    relay.push(picture(348, 50));
    relay.push(bytes(Buffer.alloc(BATCH, 51)));
    slow.drain();
    relay.push(bytes(Buffer.alloc(BATCH, 52)));
    expect(slow.got.slice(3).map((batch) => batch[0])).toEqual([0xaa, 50, 51, 52]);
  });
});

describe('a viewer that takes nothing', () => {
  it.each([true, false])('is dropped after a while (lossless: %s)', async (isLossless) => {
    const { relay, clock, dropped } = startRelay(isLossless);
    const sink = new TestSink(false);
    relay.attach(sink);
    await clock.advance(75);
    relay.push(bytes(Buffer.alloc(BATCH)));
    await clock.advance(59_000);
    expect(dropped).toEqual([]);
    await clock.advance(17_000);
    expect(dropped).toEqual([sink]);
  });

  it.each([true, false])('has all its time from then on (lossless: %s)', async (isLossless) => {
    const { relay, clock, dropped } = startRelay(isLossless);
    const sink = new TestSink();
    relay.attach(sink);
    await clock.advance(14_000);
    sink.isFast = false;
    relay.push(bytes(Buffer.alloc(BATCH)));
    await clock.advance(59_000);
    expect(dropped).toEqual([]);
    await clock.advance(31_000);
    expect(dropped).toEqual([sink]);
  });

  it('stays while it takes something now and then, or has all there is', async () => {
    const { relay, clock, dropped } = startRelay(false);
    const [slow, idle] = [new TestSink(false), new TestSink()];
    relay.attach(slow);
    relay.attach(idle);
    await clock.advance(75);
    for (let n = 0; n < 4; n += 1) {
      relay.push(bytes(Buffer.alloc(BATCH)));
      await clock.advance(40_000);
      slow.drain();
    }
    await clock.advance(300_000);
    expect(dropped).toEqual([]);
  });
});
