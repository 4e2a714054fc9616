import { describe, expect, it } from 'vitest';
import {
  eofAfter,
  file,
  html200,
  resetAfter,
  slowBody,
  slowHeaders,
  stallAfter,
  status,
  times,
  truncateAfter,
  wrongLength,
  type Fault,
} from '../../scripts/faultd.d/fake-provider.ts';
import { mp4Like, startVod, type VodBench } from '../support/vod-bench.ts';

const A = '/movie/a.mp4';
const B = '/movie/b.mp4';
const MIB = 1024 * 1024;
const SIZE = 4 * MIB;

const rangesOf = (vod: VodBench, path: string) =>
  vod.provider.requestsOf(path).map(({ headers }) => headers.range);

describe('a file whose provider breaks off', () => {
  const faults: readonly (readonly [string, Fault])[] = [
    ['resets', resetAfter(MIB)],
    ['truncates', truncateAfter(MIB)],
    ['stalls', stallAfter(MIB)],
    ['resets within the first bytes', resetAfter(100)],
    ['stops one byte short', truncateAfter(SIZE - 1)],
  ];

  it.each(faults)('goes on at the right byte when it %s', async (_how, fault) => {
    await using vod = await startVod({ readTimeoutMs: 150 });
    vod.provider.setFault(A, times(1, fault));
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.ending).toBe('clean');
    expect(viewer.status).toBe(200);
    expect(viewer.headers['content-length']).toBe(String(SIZE));
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    const [first, second, ...others] = rangesOf(vod, A);
    expect(first).toBe('bytes=0-');
    expect(second).toMatch(/^bytes=\d+-$/);
    expect(others).toEqual([]);
    await expect.poll(() => vod.provider.open()).toBe(0);
  });

  it.each(faults.slice(0, 3))('goes on within a range when it %s', async (_how, fault) => {
    await using vod = await startVod({ readTimeoutMs: 150 });
    vod.provider.setFault(A, times(1, fault));
    const viewer = await vod.fetch(await vod.create(), {
      headers: { range: 'bytes=1000-3000000' },
    });
    expect(viewer.status).toBe(206);
    expect(viewer.headers['content-range']).toBe(`bytes 1000-3000000/${SIZE}`);
    expect(viewer.body().equals(vod.bytes.subarray(1000, 3_000_001))).toBe(true);
    expect(rangesOf(vod, A)[1]).toMatch(/^bytes=\d+-3000000$/);
  });

  it('goes on as often as it must', async () => {
    await using vod = await startVod({ outageLimitMs: 20_000 });
    vod.provider.setFault(A, times(3, resetAfter(MIB)));
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(vod.provider.maxOpen()).toBe(1);
  });

  it('goes on with the backup when the provider does not come back', async () => {
    await using vod = await startVod();
    const id = await vod.create(B);
    vod.provider.setFault(A, { kind: 'times', left: 1, fault: resetAfter(MIB) });
    const viewer = vod.watch(id);
    await viewer.reached(1);
    vod.provider.setFault(A, status(503));
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(vod.playback.state.told).toContain('failover_triggered');
    expect(rangesOf(vod, B)[0]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('goes on without ranges by passing over what was sent', async () => {
    await using vod = await startVod({ route: { ranges: false } });
    vod.provider.setFault(A, times(1, resetAfter(MIB)));
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.ending).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it.each([
    ['its ETag', { etag: '"new"' }],
    ['its date', { lastModified: 'Thu, 22 Oct 2026 07:28:00 GMT', etag: '' }],
  ] as const)('breaks off too when the file has changed by %s', async (_what, now) => {
    await using vod = await startVod({ outageLimitMs: 300, route: { etag: '"old"' } });
    const id = await vod.create();
    vod.provider.setFault(A, times(1, resetAfter(MIB)));
    const viewer = vod.watch(id);
    await viewer.reached(1);
    const path = await vod.addFile('new.mp4', vod.bytes);
    vod.provider.setRoute(A, file(path, now));
    expect(await viewer.ended()).toBe('broken');
    expect(viewer.body().equals(vod.bytes.subarray(0, viewer.bytes))).toBe(true);
    expect(viewer.bytes).toBeLessThanOrEqual(MIB);
  });

  it('passes over a backup of another size for one of the same', async () => {
    await using vod = await startVod();
    const other = await vod.addFile('other.mp4', mp4Like(SIZE + 1));
    vod.provider.setRoute('/movie/other.mp4', file(other));
    const id = await vod.create('/movie/other.mp4', B);
    const viewer = vod.watch(id, {});
    vod.provider.setFault(A, times(1, resetAfter(MIB)));
    await viewer.reached(1);
    vod.provider.setFault(A, status(404));
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it('is not made longer than the provider said it was', async () => {
    await using vod = await startVod({ outageLimitMs: 300, route: { ranges: false } });
    vod.provider.setFault(A, wrongLength(1000));
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.ending).toBe('broken');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it('is complete when the provider only promised too much', async () => {
    await using vod = await startVod();
    vod.provider.setFault(A, wrongLength(1000));
    const viewer = await vod.fetch(await vod.create(), { headers: { range: 'bytes=100-' } });
    expect(viewer.ending).toBe('clean');
    expect(viewer.body().equals(vod.bytes.subarray(100))).toBe(true);
  });

  it('breaks off for the viewer when no source comes back, and says why', async () => {
    await using vod = await startVod({ outageLimitMs: 300 });
    const id = await vod.create();
    vod.provider.setFault(A, times(1, resetAfter(MIB)));
    const viewer = vod.watch(id);
    await viewer.reached(1);
    vod.provider.setFault(A, status(503));
    expect(await viewer.ended()).toBe('broken');
    expect(vod.playback.state.told).toContain('stream_failed');
  });
});

describe('a file under way when an app moves its stream on', () => {
  const slowly = { route: { bytesPerSecond: 4_000_000 } };

  it('goes along where the file is the same', async () => {
    await using vod = await startVod(slowly);
    const id = await vod.create(B);
    const viewer = vod.watch(id);
    await viewer.reached(100_000);
    await vod.playback.registry.failover(id as never);
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(vod.provider.requestsOf(B).at(-1)?.sentBytes).toBeGreaterThan(MIB);
    expect(vod.provider.requestsOf(A)).toHaveLength(1);
    expect(vod.playback.state.told.filter((type) => type === 'failover_triggered')).toHaveLength(1);
  });

  it.each([
    ['is not there', status(404)],
    ['is another', undefined],
  ])('stays where the file %s', async (_how, fault) => {
    await using vod = await startVod(slowly);
    const other = await vod.addFile('other.mp4', mp4Like(SIZE + 1));
    vod.provider.setRoute(B, file(other));
    if (fault !== undefined) vod.provider.setFault(B, fault);
    const id = await vod.create(B);
    const viewer = vod.watch(id);
    await viewer.reached(100_000);
    await vod.playback.registry.failover(id as never);
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(vod.playback.state.told.filter((type) => type === 'failover_triggered')).toHaveLength(1);
  });
});

describe('a file before its first byte', () => {
  const faults: readonly (readonly [string, Fault])[] = [
    ['answers 404', status(404)],
    ['answers 403', status(403)],
    ['answers 500', status(500)],
    ['answers late', slowHeaders(5_000)],
    ['sends a head and no body', slowBody(5_000)],
    ['sends a head and resets', resetAfter(0)],
    ['sends a head and ends', eofAfter(0)],
    ['sends a page', html200()],
  ];

  it.each(faults)('comes from the backup when the primary %s', async (_how, fault) => {
    await using vod = await startVod({ sizeBytes: 100_000, readTimeoutMs: 150, headersMs: 150 });
    vod.provider.setFault(A, fault);
    const viewer = await vod.fetch(await vod.create(B), { headers: { range: 'bytes=10-99' } });
    expect(viewer.status).toBe(206);
    expect(viewer.body().equals(vod.bytes.subarray(10, 100))).toBe(true);
    expect(viewer.headers['etag']).toBe('"other"');
    await expect.poll(() => vod.provider.open()).toBe(0);
  });

  it.each([
    ['404', status(404), 502],
    ['silence', slowHeaders(5_000), 504],
    ['a head without a body', slowBody(5_000), 504],
    ['a page', html200(), 502],
  ])('is a real error when all there is is %s', async (_what, fault, code) => {
    await using vod = await startVod({ readTimeoutMs: 100, headersMs: 100 });
    vod.provider.setFault('*', fault);
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.status).toBe(code);
    expect(viewer.headers['content-type']).toContain('application/problem+json');
  });
});

/** The provider has found every buffer on the way full. */
async function untilHeldBack({ provider }: VodBench): Promise<void> {
  let before = -1;
  const isSteady = (): boolean => before === (before = provider.requests[0]?.sentBytes ?? 0);
  await expect.poll(isSteady, { interval: 100, timeout: 5_000 }).toBe(true);
}

describe('the viewer of a file', () => {
  it('may pause for longer than any deadline', async () => {
    await using vod = await startVod({ sizeBytes: 24 * MIB, readTimeoutMs: 100 });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(MIB);
    viewer.pause();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(vod.provider.requests).toHaveLength(1);
    expect(vod.provider.open()).toBe(1);
    viewer.resume();
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
  });

  it('finds the file going on when its provider left while it paused', async () => {
    await using vod = await startVod({ sizeBytes: 48 * MIB, readTimeoutMs: 1000 }); // More than sockets hold.
    const viewer = vod.watch(await vod.create());
    await viewer.reached(MIB);
    viewer.pause();
    await untilHeldBack(vod);
    vod.provider.cut(A, 'reset');
    await expect.poll(() => vod.provider.open()).toBe(0);
    expect(vod.provider.requests).toHaveLength(1);
    viewer.resume();
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(vod.bytes)).toBe(true);
    expect(vod.provider.requests).toHaveLength(2);
  });

  it('holds the provider back, not our memory', async () => {
    await using vod = await startVod({ sizeBytes: 48 * MIB });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(1);
    viewer.pause();
    await untilHeldBack(vod);
    expect(vod.provider.requests[0]?.sentBytes).toBeLessThan(24 * MIB); // What the socket buffers on the way hold.
  });

  it('closes the upstream at once when it leaves', async () => {
    await using vod = await startVod({ route: { bytesPerSecond: 500_000 } });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(1);
    viewer.leave();
    await expect.poll(() => vod.provider.open(), { timeout: 300 }).toBe(0);
    await expect.poll(() => vod.playback.state.told.at(-1)).toBe('stream_stopped');
  });

  it('closes the upstream at once when it leaves before the head, or before the first byte', async () => {
    await using vod = await startVod({ headersMs: 10_000, readTimeoutMs: 10_000 });
    for (const fault of [slowHeaders(10_000), slowBody(10_000)]) {
      vod.provider.setFault(A, fault);
      const viewer = vod.watch(await vod.create());
      await expect.poll(() => vod.provider.open()).toBe(1);
      viewer.leave();
      await expect.poll(() => vod.provider.open(), { timeout: 300 }).toBe(0);
    }
  });

  it('is gone for good when it leaves while the file waits for its provider', async () => {
    await using vod = await startVod({ outageLimitMs: 20_000 });
    const id = await vod.create();
    vod.provider.setFault(A, times(1, resetAfter(MIB)));
    const viewer = vod.watch(id);
    await viewer.reached(1);
    vod.provider.setFault(A, status(503));
    await expect.poll(() => vod.provider.requests.length).toBeGreaterThan(2);
    viewer.leave();
    await expect.poll(() => vod.playback.state.told.at(-1)).toBe('stream_stopped');
    const asked = vod.provider.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(vod.provider.requests).toHaveLength(asked);
  });

  it('is cut off when it is sent away', async () => {
    await using vod = await startVod({ route: { bytesPerSecond: 500_000 } });
    const viewer = vod.watch(await vod.create());
    await viewer.reached(1);
    const clientId = viewer.headers['x-client-id'] as never;
    expect(await vod.playback.registry.kick(clientId)).toBe(true);
    expect(await viewer.ended()).toBe('broken');
    await expect.poll(() => vod.provider.open(), { timeout: 300 }).toBe(0);
  });

  it('is counted while it watches, with every byte', async () => {
    await using vod = await startVod({ route: { bytesPerSecond: 2_000_000 } });
    const id = await vod.create();
    const viewer = vod.watch(id);
    await viewer.reached(100_000);
    expect(vod.playback.registry.totals()).toMatchObject({ viewers: 1, activeStreams: 1 });
    await viewer.ended();
    expect(vod.playback.registry.totals().bytesServed).toBe(SIZE);
    await expect.poll(() => vod.playback.registry.totals().viewers).toBe(0);
  });

  it('seeks by a new request without leaving in between', async () => {
    await using vod = await startVod({ route: { bytesPerSecond: 1_000_000 } });
    const id = await vod.create();
    for (const range of ['bytes=0-', 'bytes=1000000-', 'bytes=2000000-']) {
      const viewer = vod.watch(id, { range });
      await viewer.reached(1000);
      viewer.leave();
    }
    await expect.poll(() => vod.playback.state.told.at(-1)).toBe('stream_stopped');
    const { told } = vod.playback.state;
    expect(told.filter((type) => type === 'client_connected')).toHaveLength(1);
    expect(told.filter((type) => type === 'stream_started')).toHaveLength(1);
  });
});
