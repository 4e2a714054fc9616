import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  file,
  startFakeProvider,
  text,
  times,
  truncateAfter,
} from '../../scripts/faultd.d/fake-provider.ts';
import { ALONE } from '../support/alone.ts';
import { curl, playWithFfmpeg } from '../support/players.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

/** A viewer with a picture waits this long for a source to come back. */
const stage = useProduct({ env: { STREAM_TOTAL_TIMEOUT: '2', STREAM_RETRY_DELAY: '0.2' } });

const playable = async (stream: Record<string, unknown>): Promise<{ id: string; url: string }> => {
  const id = await stage.product.api.createStream(stream);
  return { id, url: `${stage.product.url}/stream/${id}` };
};

describe.concurrent('a file', () => {
  it.each([
    ['/movie/user/secret/1.mp4', 'mp4', 'video/mp4'],
    ['/series/user/secret/1.mkv', 'mkv', 'video/x-matroska'],
    ['/movie/user/secret/77', 'mp4', 'video/mp4'],
  ] as const)('plays to its end and can be sought in: %s', async (path, kind, type) => {
    await using provider = await startFakeProvider({
      [path]: file(stage.media[kind], { contentType: type }),
    });
    const { url } = await playable({ url: provider.url(path) });
    const whole = await playWithFfmpeg(url);
    expect(whole).toEqual({ pictures: 200, complaints: [], exitCode: 0 });
    const sought = await playWithFfmpeg(url, { input: ['-ss', '5'] });
    expect(sought.exitCode).toBe(0);
    expect(sought.pictures).toBeGreaterThan(50);
    expect(sought.pictures).toBeLessThan(100);
    const head = await curl('--head', url);
    expect(head.toLowerCase()).toContain(`content-type: ${type}`);
    expect(head).not.toContain('secret');
  });

  it.each([
    ['a first part', 'bytes=0-99', 206, '0-99', 100],
    ['a part in the middle', 'bytes=1000-1999', 206, '1000-1999', 1000],
    ['an open end', 'bytes=1156000-', 206, '1156000-', -1],
    ['a suffix', 'bytes=-500', 206, undefined, 500],
    ['nothing beyond the end', 'bytes=99999999-', 416, undefined, -1],
    ['the whole file for a range that is none', 'bytes=9-2', 200, undefined, -1],
    ['the whole file for a unit that it does not know', 'seconds=1-2', 200, undefined, -1],
  ] as const)('gives %s', async (_name, range, status, prefix, length) => {
    await using provider = await startFakeProvider({ '/film.mp4': file(stage.media.mp4) });
    const { url } = await playable({ url: provider.url('/film.mp4') });
    const bytes = await readFile(stage.media.mp4);
    const { headers, status: got, ...viewer } = await answerOf(url, { range });
    expect(got).toBe(status);
    if (status === 416) {
      expect(headers['content-range']).toBe(`bytes */${bytes.length}`);
      return;
    }
    const from = /^bytes=(\d+)-/.exec(range)?.[1];
    const start = status === 200 ? 0 : Number(from ?? bytes.length - length);
    expect(viewer.body.equals(bytes.subarray(start, length < 0 ? undefined : start + length))).toBe(
      true,
    );
    expect(headers['content-length']).toBe(String(viewer.body.length));
    if (prefix !== undefined) expect(headers['content-range']).toContain(`bytes ${prefix}`);
  });

  it('gives the whole file when If-Range names another one', async () => {
    await using provider = await startFakeProvider({ '/film.mp4': file(stage.media.mp4) });
    const { url } = await playable({ url: provider.url('/film.mp4') });
    const { headers } = await answerOf(url, { range: 'bytes=0-9' });
    const right = await answerOf(url, { range: 'bytes=0-9', 'if-range': String(headers['etag']) });
    const wrong = await answerOf(url, { range: 'bytes=0-9', 'if-range': '"another"' });
    expect([right.status, wrong.status]).toEqual([206, 200]);
    expect(right.body.length).toBe(10);
  });

  it.each([
    ['asked for whole', undefined],
    ['asked for from a byte on', 'bytes=200000-'],
  ])('goes on at the right byte when its provider drops it: %s', async (_name, range) => {
    await using provider = await startFakeProvider({ '/film.mp4': file(stage.media.mp4) });
    provider.setFault('/film.mp4', times(1, truncateAfter(400_000)));
    const { url } = await playable({ url: provider.url('/film.mp4') });
    const bytes = await readFile(stage.media.mp4);
    const got = await answerOf(url, range === undefined ? {} : { range });
    expect(got.ending).toBe('clean');
    expect(got.body.equals(bytes.subarray(range === undefined ? 0 : 200_000))).toBe(true);
    expect(provider.requests).toHaveLength(2);
  });

  it('breaks off rather than join a file that was replaced meanwhile', async () => {
    await using provider = await startFakeProvider({
      '/film.mp4': file(stage.media.mp4, { etag: '"one"' }),
    });
    provider.setFault('/film.mp4', times(1, truncateAfter(400_000)));
    const { url } = await playable({ url: provider.url('/film.mp4') });
    await using viewer = watch(url);
    await viewer.reached(300_000);
    provider.setRoute('/film.mp4', file(stage.media.mp4, { etag: '"two"' }));
    expect(await viewer.ended(10_000)).toBe('broken');
    expect(viewer.bytes).toBe(400_000);
  });

  it('counts a viewer while it reads, and no longer when it has left', ALONE, async () => {
    await using provider = await startFakeProvider({
      '/film.mp4': file(stage.media.mp4, { bytesPerSecond: 200_000 }),
    });
    const { id, url } = await playable({ url: provider.url('/film.mp4'), metadata: { film: 1 } });
    const viewer = watch(url);
    await viewer.reached(50_000);
    const counting = '/streams/by-metadata?field=film&value=1&active_only=1';
    expect((await stage.product.api.get(counting)).body).toMatchObject({ total_matching: 1 });
    const leftAt = performance.now();
    viewer.leave();
    await provider.until(() => provider.open() === 0, 500);
    await stage.sink.event('stream_stopped', id);
    expect(performance.now() - leftAt).toBeLessThan(1_000);
    expect((await stage.product.api.get(counting)).body).toMatchObject({ total_matching: 0 });
  });

  it('is found out by its answer when its address does not tell', async () => {
    await using provider = await startFakeProvider({ '/watch/5': file(stage.media.mp4) });
    const { url } = await playable({ url: provider.url('/watch/5') });
    const { status, body } = await answerOf(url, { range: 'bytes=0-9' });
    expect([status, body.length]).toEqual([206, 10]);
  });

  it('serves a page of an application as no film', async () => {
    await using provider = await startFakeProvider({ '/film.mp4': text('<html>', 'text/html') });
    const { url } = await playable({ url: provider.url('/film.mp4') });
    expect((await answerOf(url)).status).toBe(502);
  });
});

async function answerOf(url: string, headers: Readonly<Record<string, string>> = {}) {
  const viewer = await fetchOnce(url, { headers });
  const { status, ending } = viewer;
  return { status, ending, headers: viewer.headers, body: viewer.body() };
}
