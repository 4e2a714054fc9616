import { describe, expect, it } from 'vitest';
import { connectionLimit, liveTs } from '../../scripts/faultd.d/fake-provider.ts';
import { startLive } from '../support/live-bench.ts';

describe('a viewer that does not read, of a stream that is not shared', () => {
  it('slows its own source, which is not taken for stalled', async () => {
    await using live = await startLive({ stallMs: 300 });
    live.provider.setRoute('/live/a.ts', liveTs(live.source, { speed: Infinity }));
    const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
    await using viewer = await live.watch(id).started();
    viewer.pause();
    await live.provider.until(() => (live.provider.requests[0]?.sentBytes ?? 0) > 1_000_000);
    await expect(
      live.provider.until(() => live.provider.requests.length > 1, 1000),
    ).rejects.toThrow(/./);
    viewer.resume();
    await viewer.more(20_000_000, 10_000);
    expect(live.provider.requests).toHaveLength(1);
  });
});

describe('a viewer that takes nothing for too long', () => {
  it.each(['per-client', 'shared'] as const)(
    'is let go, and so is its upstream (%s)',
    async (sharing) => {
      await using live = await startLive({ sharing, viewerPatienceMs: 400 });
      live.provider.setRoute('/live/a.ts', liveTs(live.source, { speed: 60 }));
      const id = await live.playback.create(live.primary);
      await using viewer = await live.watch(id).started();
      viewer.pause();
      await live.provider.until(() => live.provider.requests.length === 1);
      await live.provider.until(() => live.provider.open() === 0, 10_000);
      expect(live.playback.state.events.map(({ fact }) => fact)).toContainEqual(
        expect.objectContaining({ type: 'client_disconnected', reason: 'viewer_stuck' }),
      );
    },
  );
});

describe('a shared stream that lingers', () => {
  it('keeps its upstream for who comes back, and lets it go in time', async () => {
    await using live = await startLive({ sharing: 'shared', lingerMs: 300 });
    const id = await live.playback.create(live.primary);
    const first = await live.watch(id).started();
    await first.more(188);
    first.leave();
    await using second = await live.watch(id).started();
    await second.more(188 * 100);
    expect(live.provider.requests).toHaveLength(1);
    second.leave();
    await live.provider.until(() => live.provider.open() === 0, 2000);
    expect(live.playback.state.told.at(-1)).toBe('stream_stopped');
  });

  it('lets it go at once when it is removed', async () => {
    await using live = await startLive({ sharing: 'shared', lingerMs: 60_000 });
    const id = await live.playback.create(live.primary);
    const first = await live.watch(id).started();
    await first.more(188);
    first.leave();
    await live.provider.until(() => live.playback.registry.totals().viewers === 0);
    const [stream] = live.playback.registry.list();
    await live.playback.registry.remove(stream!.definition.id, { reason: 'manual_deletion' });
    await live.provider.until(() => live.provider.open() === 0, 1000);
    expect(live.provider.requests).toHaveLength(1);
  });
});

describe('a provider with a connection limit', () => {
  it('never sees one connection too many through failovers and retries', async () => {
    await using live = await startLive({ sharing: 'shared' });
    live.provider.setFault('*', connectionLimit(1));
    const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
    await using viewer = await live.watch(id).started();
    await viewer.more(188 * 100);
    const [stream] = live.playback.registry.list();
    await live.playback.registry.failover(stream!.definition.id);
    const statuses = () => live.provider.requests.map((request) => request.status);
    await expect.poll(statuses).toEqual([200, 200]);
    await viewer.more(188 * 500);
    expect(live.provider.maxOpen()).toBe(1);
  });
});
