import { describe, expect, it } from 'vitest';
import { resetAfter, times } from '../../scripts/faultd.d/fake-provider.ts';
import { startVod } from '../support/vod-bench.ts';

const A = '/movie/a.mp4';
const RATE = 1_000_000;
const throttle = { throttleBytesPerSecond: RATE, bufferBytes: 0, fillBytes: 0 };
const buffer = { throttleBytesPerSecond: 0, bufferBytes: 2_000_000, fillBytes: 0 };
const SLOW_MS = 20_000;

const timed = async <T>(call: () => Promise<T>): Promise<readonly [T, number]> => {
  const startedAtMs = performance.now();
  return [await call(), (performance.now() - startedAtMs) / 1000];
};

describe('a throttled file', () => {
  it('takes the time that its size needs, whole and in order', async () => {
    await using vod = await startVod({ sizeBytes: 1_000_000, pacing: throttle });
    const id = await vod.create();
    const [viewer, seconds] = await timed(() => vod.fetch(id));
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(seconds).toBeGreaterThan(0.9);
    expect(seconds).toBeLessThan(1.6);
  });

  it('makes up for a pause of its source', async () => {
    await using vod = await startVod({ sizeBytes: 1_500_000, pacing: throttle });
    const id = await vod.create();
    const [viewer, seconds] = await timed(async () => {
      const watching = vod.watch(id);
      await watching.reached(400_000);
      const resume = vod.provider.disturb(A, { kind: 'stall' });
      setTimeout(resume, 500);
      await watching.ended();
      return watching;
    });
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(seconds).toBeGreaterThan(1.4);
    expect(seconds).toBeLessThan(1.85);
  });

  it('is throttled anew for each part that a player seeks to', async () => {
    await using vod = await startVod({ sizeBytes: 4_000_000, pacing: throttle });
    const id = await vod.create();
    const first = vod.watch(id);
    await first.reached(100_000);
    first.leave();
    const range = { headers: { range: 'bytes=3500000-' } };
    const [viewer, seconds] = await timed(() => vod.fetch(id, range));
    expect(viewer.body().equals(vod.bytes.subarray(3_500_000))).toBe(true);
    expect(seconds).toBeGreaterThan(0.4);
    await expect.poll(() => vod.provider.open()).toBe(0);
  });
});

describe('a buffered file', () => {
  it('is read ahead up to the bound while its viewer pauses, then given in order', async () => {
    const pacing = { ...buffer, bufferBytes: 12_000_000 };
    await using vod = await startVod({ sizeBytes: 70_000_000, pacing });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(100_000);
    viewer.pause();
    await using plain = await startVod({ sizeBytes: 70_000_000 });
    const other = plain.watch(await plain.create());
    await other.reached(100_000);
    other.pause();
    const ahead = await plateau(() => vod.provider.requestsOf(A)[0]?.sentBytes ?? 0);
    const without = await plateau(() => plain.provider.requestsOf(A)[0]?.sentBytes ?? 0);
    // What the system's own buffers hold is not ours to bound.
    expect(ahead - without).toBeGreaterThan(6_000_000);
    expect(ahead - without).toBeLessThan(45_000_000);
    viewer.resume();
    other.leave();
    await viewer.ended(SLOW_MS);
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it('lets a throttled viewer see nothing of a pause that is shorter than the buffer', async () => {
    const pacing = { throttleBytesPerSecond: RATE, bufferBytes: 2_000_000, fillBytes: 800_000 };
    await using vod = await startVod({ sizeBytes: 1_500_000, pacing });
    vod.provider.disturb(A, { kind: 'rate', bytesPerSecond: 4_000_000 });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(200_000);
    const resume = vod.provider.disturb(A, { kind: 'stall' });
    const timer = setTimeout(resume, 500);
    const [, seconds] = await timed(() => viewer.reached(700_000));
    clearTimeout(timer);
    resume();
    expect(seconds).toBeLessThan(0.85);
    await viewer.ended();
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it('goes on at the right byte when its source breaks off with bytes on the way', async () => {
    await using vod = await startVod({ sizeBytes: 3_000_000, pacing: buffer });
    vod.provider.setFault(A, times(1, resetAfter(1_000_000)));
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.ending).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it('is forgotten at once when its viewer leaves', async () => {
    await using vod = await startVod({ sizeBytes: 70_000_000, pacing: buffer });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(100_000);
    viewer.pause();
    viewer.leave();
    await expect.poll(() => vod.provider.open(), { timeout: 1_000 }).toBe(0);
  });
});

/** The value once it has stood still for a while. */
async function plateau(read: () => number): Promise<number> {
  let [last, same] = [-1, 0];
  while (same < 5) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}
