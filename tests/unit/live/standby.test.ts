import { describe, expect, it } from 'vitest';
import type { LiveViewing, StandbyMode } from '#delivery';
import { startSimulation } from '../../support/simulated-delivery.ts';
import { streamInput, VIEWER } from '../../support/stream-bench.ts';

const STALL_MS = 4000;
const [A, B, C] = ['http://a/', 'http://b/', 'http://c/'];

const PLAYER = {
  pendingBytes: 0,
  write: (_parts: readonly Buffer[], flushed?: () => void): void => flushed?.(),
};

/** One viewer with a picture from the primary of a stream with two backups. */
async function startWatched(standby: StandbyMode, failbackAfterMs = 0) {
  const { registry, clock, state, sources, live } = await startSimulation({
    standby,
    stallMs: STALL_MS,
    failbackAfterMs,
  });
  const { snapshot } = await registry.create(streamInput(A, { failoverUrls: [B, C] }));
  const { id } = snapshot.definition;
  const gone = new AbortController();
  const watching = live.watch(await registry.open(id), VIEWER, gone.signal);
  await clock.advance(20);
  const viewing = (await watching) as LiveViewing;
  void viewing.flow(PLAYER, gone.signal);
  const last = async () => (await registry.get(id)).switches.at(-1);
  return { sources, clock, registry, state, id, last, gone };
}

describe('a stream that is moved twice in one moment', () => {
  it('is read from where it came to, over one connection', async () => {
    const { sources, clock, registry, id } = await startWatched('cold');
    await registry.failover(id);
    await registry.failover(id);
    await clock.advance(1000);
    expect(sources.connected).toEqual([C]);
    expect(sources.openings.filter(({ url }) => url === C)).toHaveLength(1);
    await registry.failover(id);
    await clock.advance(1000);
    expect(sources.connected).toEqual([A]);
  });
});

describe('a cold standby', () => {
  it('opens nothing beside the source in use, and sets no timers for it', async () => {
    const { sources, clock } = await startWatched('cold');
    await clock.advance(60_000);
    expect(sources.openings).toHaveLength(1);
  });
});

describe('a warm standby', () => {
  it('is opened after half of the silence that makes a stall', async () => {
    const { sources, clock } = await startWatched('warm');
    await clock.advance(10_000);
    sources.set(A, 'stalls');
    await clock.advance(STALL_MS / 2 - 500);
    expect(sources.connected).toEqual([A]);
    await clock.advance(1000);
    expect(sources.connected).toEqual([A, B]);
  });

  it('is let go when the source is heard again, and opened again when it must be', async () => {
    const { sources, clock, last } = await startWatched('warm');
    await clock.advance(10_000);
    sources.set(A, 'stalls');
    await clock.advance(STALL_MS - 1000);
    sources.set(A, 'good');
    await clock.advance(1000);
    expect(sources.connected).toEqual([A]);
    expect(await last()).toBeUndefined();
    sources.set(A, 'stalls');
    await clock.advance(STALL_MS - 1000);
    expect(sources.connected).toEqual([A, B]);
  });

  it('takes over without a new connection when the source has stalled', async () => {
    const { sources, clock, last } = await startWatched('warm');
    await clock.advance(10_000);
    sources.set(A, 'stalls');
    await clock.advance(STALL_MS + 500);
    expect(sources.connected).toEqual([B]);
    expect(sources.openings.map(({ url }) => url)).toEqual([A, B]);
    expect(await last()).toMatchObject({ gapMs: STALL_MS, detectionMs: STALL_MS, connectMs: 0 });
  });
});

describe('a hot standby', () => {
  it('takes over in no time, whatever befalls the source', async () => {
    const { sources, clock, last } = await startWatched('hot');
    await clock.advance(5000);
    sources.set(A, 'ends');
    await clock.advance(0);
    expect(await last()).toMatchObject({ toIndex: 0, connectMs: 0 });
    expect(sources.connected).toEqual([B]);
  });

  it('is seen by viewers of a shared stream at once: its first bytes wait for no others', async () => {
    const { registry, clock, sources, live } = await startSimulation({
      standby: 'hot',
      stallMs: STALL_MS,
    });
    const input = streamInput(A, { failoverUrls: [B], sharing: 'shared' });
    const { snapshot } = await registry.create(input);
    const gone = new AbortController();
    const watching = live.watch(await registry.open(snapshot.definition.id), VIEWER, gone.signal);
    await clock.advance(20);
    let writes = 0;
    const sink = { pendingBytes: 0, write: () => void (writes += 1) };
    void ((await watching) as LiveViewing).flow(sink, gone.signal);
    await clock.advance(5_400);
    const before = writes;
    sources.set(A, 'ends');
    await clock.advance(0);
    expect(sources.connected).toEqual([B]);
    expect(writes).toBeGreaterThan(before);
    gone.abort();
  });

  it('is opened for the new source a second later', async () => {
    const { sources, clock } = await startWatched('hot');
    await clock.advance(5000);
    sources.set(A, 'ends');
    await clock.advance(900);
    expect(sources.connected).toEqual([B]);
    await clock.advance(1200);
    expect(sources.connected).toEqual([B, C]);
  });

  it('that breaks is replaced by the one behind it, and the stream stays', async () => {
    const { sources, clock, last } = await startWatched('hot');
    await clock.advance(5000);
    sources.set(B, 'forbids');
    await clock.advance(3000);
    expect(sources.connected).toEqual([A, C]);
    expect(await last()).toBeUndefined();
  });

  it('that is the primary serves for the return to it', async () => {
    const { sources, clock, last, registry, id } = await startWatched('hot', 20_000);
    await clock.advance(5000);
    await registry.failover(id);
    await registry.failover(id);
    await clock.advance(10_000);
    expect(sources.connected).toEqual([C, A]);
    await clock.advance(12_000);
    expect(await last()).toMatchObject({ toIndex: -1, reason: 'failback', connectMs: 0 });
    expect(sources.openings.filter(({ url }) => url === A)).toHaveLength(2);
  });
});
