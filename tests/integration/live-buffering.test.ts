import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { liveTs, status } from '../../scripts/faultd.d/fake-provider.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { startLive } from '../support/live-bench.ts';

const A = '/live/a.ts';
const DELAY_MS = 2_000;
const buffering = { burstMs: 0, delayMs: DELAY_MS, delayBytes: 64 * 1024 * 1024 };

/** A viewer that notes when bytes come. */
function watchTimes(url: string) {
  const times: number[] = [];
  const parts: Buffer[] = [];
  const asking = request(url, { agent: false }, (response) => {
    response.on('error', () => {});
    response.on('data', (part: Buffer) => {
      times.push(performance.now());
      parts.push(part);
    });
  });
  asking.on('error', () => {});
  asking.end();
  return {
    count: () => times.length,
    firstMs: () => times[0] ?? Infinity,
    body: () => Buffer.concat(parts),
    /** The longest time without a byte, since a moment. */
    longestPauseMs: (sinceMs: number) => {
      const after = [sinceMs, ...times.filter((at) => at > sinceMs), performance.now()];
      return Math.max(...after.map((at, n) => at - (after[n - 1] ?? at)));
    },
    leave: () => void asking.destroy(),
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Sharing = 'per-client' | 'shared';

/** Watches at real-time pace, through a cold switch from a source that falls silent. */
async function throughSwitch(sharing: Sharing, options: Parameters<typeof startLive>[0]) {
  await using live = await startLive({ sharing, stallMs: 1_000, ...options });
  live.provider.setRoute(A, liveTs(live.source));
  live.provider.setRoute('/live/b.ts', liveTs(live.source, { framing: 'close' }));
  const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
  const startedMs = performance.now();
  const viewer = watchTimes(`${live.playback.base}/stream/${id}`);
  await expect.poll(viewer.count, { timeout: 5_000 }).toBeGreaterThan(10);
  await pause(500);
  const before = viewer.longestPauseMs(performance.now() - 400);
  live.provider.setFault(A, status(503));
  live.provider.cut(A, 'stall');
  const cutMs = performance.now();
  await expect
    .poll(() => live.playback.state.told, { timeout: 5_000 })
    .toContain('failover_triggered');
  await pause(800);
  const { switches } = await live.playback.registry.get(id as never);
  const during = viewer.longestPauseMs(cutMs);
  viewer.leave();
  const gapMs = switches.at(-1)?.gapMs ?? 0;
  return { gapMs, before, during, firstMs: viewer.firstMs() - startedMs, body: viewer.body() };
}

describe.each(['per-client', 'shared'] as const)('a cold switch of a %s stream', (sharing) => {
  it('is not seen by a viewer that is held further behind the source', async () => {
    const { gapMs, before, during, firstMs, body } = await throughSwitch(sharing, { buffering });
    expect(firstMs).toBeGreaterThan(DELAY_MS - 200);
    expect(gapMs).toBeGreaterThan(300);
    expect(gapMs).toBeLessThan(DELAY_MS);
    // Its rhythm is one of 40 to 100 ms; a busy machine may be late now and then.
    expect(during).toBeLessThan(Math.max(before, 100) + 200);
    expect(checkTs(body).counterErrors).toEqual([]);
  });
});

describe('a cold switch of a stream that is not held back', () => {
  it('is seen: the measure measures', async () => {
    const { gapMs, during } = await throughSwitch('per-client', {});
    expect(during).toBeGreaterThan(gapMs * 0.8);
  });
});

describe('a stream whose sources are used up', () => {
  it('is given to its end before the transfer breaks', async () => {
    const short = { ...buffering, delayMs: 1_000 };
    await using live = await startLive({ buffering: short, stallMs: 300, outageLimitMs: 300 });
    live.provider.setRoute(A, liveTs(live.source));
    const id = await live.playback.create(live.primary);
    await using viewer = live.watch(id);
    await viewer.reached(100_000);
    live.provider.setFault(A, status(503));
    live.provider.cut(A, 'reset');
    const sent = live.provider.requestsOf(A)[0]?.sentBytes ?? 0;
    const held = sent - viewer.bytes;
    expect(await viewer.ended()).toBe('broken');
    expect(viewer.bytes).toBeGreaterThan(sent - held * 0.2);
  });
});

describe('a viewer that joins a shared stream', () => {
  it('gets the seconds before at once, from a keyframe on, and no byte twice', async () => {
    const burst = { burstMs: 3_000, delayMs: 0, delayBytes: 0 };
    await using live = await startLive({ sharing: 'shared', buffering: burst });
    const id = await live.playback.create(live.primary);
    await using first = live.watch(id);
    await first.reached(live.source.bytesPerMs * 6_000);
    const joinedMs = performance.now();
    await using second = live.watch(id);
    await second.reached(live.source.bytesPerMs * 1_800);
    expect(performance.now() - joinedMs).toBeLessThan(200);
    await second.more(300_000);
    first.leave();
    second.leave();
    const all = first.body();
    const got = second.body();
    // Behind the tables, it is a part of what the first viewer got.
    const from = all.indexOf(got.subarray(2 * 188, 20 * 188));
    expect(from).toBeGreaterThan(0);
    const common = Math.min(all.length - from, got.length - 2 * 188);
    expect(got.subarray(2 * 188, 2 * 188 + common).equals(all.subarray(from, from + common))).toBe(
      true,
    );
  });
});

describe('a live throttle', () => {
  it('holds for each viewer, whose own source it slows', async () => {
    await using live = await startLive({ throttleBytesPerSecond: 100_000 });
    await using viewer = live.watch(await live.playback.create(live.primary));
    await viewer.started();
    const startedMs = performance.now();
    await viewer.reached(100_000);
    const seconds = (performance.now() - startedMs) / 1_000;
    expect(seconds).toBeGreaterThan(0.8);
    expect(seconds).toBeLessThan(1.6);
  });
});
