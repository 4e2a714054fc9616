import { describe, expect, it } from 'vitest';
import { answer, html200, status, text } from '../support/fake-provider.ts';
import { startVod } from '../support/vod-bench.ts';

const SIZE = 300_000;
const small = { sizeBytes: SIZE };
const LAST_MODIFIED = 'Wed, 21 Oct 2026 07:28:00 GMT';

describe('ranges of a file', () => {
  it.each([
    ['the whole', undefined, 200, 0, SIZE],
    ['an open range from the beginning', 'bytes=0-', 206, 0, SIZE],
    ['an open range', 'bytes=100000-', 206, 100_000, SIZE],
    ['a range', 'bytes=100-199', 206, 100, 200],
    ['one byte', 'bytes=7-7', 206, 7, 8],
    ['the last byte', `bytes=${SIZE - 1}-`, 206, SIZE - 1, SIZE],
    ['a range beyond the end', `bytes=100-${SIZE * 2}`, 206, 100, SIZE],
    ['a suffix', 'bytes=-500', 206, SIZE - 500, SIZE],
    ['a suffix longer than the file', `bytes=-${SIZE * 2}`, 206, 0, SIZE],
    ['several ranges, as the whole', 'bytes=0-1,5-6', 200, 0, SIZE],
    ['a malformed range, as the whole', 'bytes=5-1', 200, 0, SIZE],
    ['another unit, as the whole', 'seconds=1-2', 200, 0, SIZE],
  ])('are served: %s', async (_what, range, code, from, to) => {
    await using vod = await startVod(small);
    const viewer = await vod.fetch(await vod.create(), { headers: range ? { range } : {} });
    expect(viewer.ending).toBe('clean');
    expect(viewer.status).toBe(code);
    expect(viewer.body().equals(vod.bytes.subarray(from, to))).toBe(true);
    expect(viewer.headers['content-length']).toBe(String(to - from));
    expect(viewer.headers['accept-ranges']).toBe('bytes');
    expect(viewer.headers['content-type']).toBe('video/mp4');
    expect(viewer.headers['content-range']).toBe(
      code === 206 ? `bytes ${from}-${to - 1}/${SIZE}` : undefined,
    );
    expect(viewer.headers['etag']).toMatch(/^"/);
    expect(viewer.headers['last-modified']).toBeDefined();
    await expect.poll(() => vod.provider.open()).toBe(0);
  });

  it.each(['bytes=300000-', 'bytes=99999999999999999999-', 'bytes=-0'])(
    'outside of the file are refused: %s',
    async (range) => {
      await using vod = await startVod(small);
      const viewer = await vod.fetch(await vod.create(), { headers: { range } });
      expect(viewer.status).toBe(416);
      expect(viewer.headers['content-range']).toBe(`bytes */${SIZE}`);
    },
  );

  it('hold while If-Range does, else the whole comes', async () => {
    await using vod = await startVod({
      ...small,
      route: { etag: '"now"', lastModified: LAST_MODIFIED },
    });
    const id = await vod.create();
    const statusFor = async (condition: string): Promise<readonly unknown[]> => {
      const headers = { range: 'bytes=10-19', 'if-range': condition };
      const viewer = await vod.fetch(id, { headers });
      return [viewer.status, viewer.bytes];
    };
    expect(await statusFor('"now"')).toEqual([206, 10]);
    expect(await statusFor('"then"')).toEqual([200, SIZE]);
    expect(await statusFor('W/"now"')).toEqual([200, SIZE]);
    expect(await statusFor(LAST_MODIFIED)).toEqual([206, 10]);
    expect(await statusFor('Wed, 21 Oct 2026 07:28:01 GMT')).toEqual([200, SIZE]);
  });

  it('outside of the file count only while If-Range holds', async () => {
    await using vod = await startVod({ ...small, route: { etag: '"now"' } });
    const id = await vod.create();
    const headers = { range: `bytes=${SIZE}-`, 'if-range': '"then"' };
    expect((await vod.fetch(id, { headers })).status).toBe(200);
    headers['if-range'] = '"now"';
    expect((await vod.fetch(id, { headers })).status).toBe(416);
  });

  it('are not claimed for a source without them', async () => {
    await using vod = await startVod({ ...small, route: { ranges: false } });
    const id = await vod.create();
    for (const range of ['bytes=100-199', 'bytes=0-1', 'bytes=0-']) {
      const viewer = await vod.fetch(id, { headers: { range } });
      expect(viewer.status).toBe(200);
      expect(viewer.headers['accept-ranges']).toBe('none');
      expect(viewer.headers['content-length']).toBe(String(SIZE));
      expect(viewer.body().equals(vod.bytes)).toBe(true);
    }
  });

  it('are asked of the provider as the player asked', async () => {
    await using vod = await startVod(small);
    const id = await vod.create();
    for (const range of ['bytes=5-9', 'bytes=5-', 'bytes=-5']) {
      await vod.fetch(id, { headers: { range, cookie: 'a=b', authorization: 'x', referer: 'y' } });
    }
    const sent = vod.provider.requests.map(({ headers }) => headers);
    expect(sent.map(({ range }) => range)).toEqual(['bytes=5-9', 'bytes=5-', 'bytes=-5']);
    for (const headers of sent) {
      expect(Object.keys(headers).toSorted()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'host',
        'range',
        'user-agent',
      ]);
    }
  });

  it('of a file without a size are given as they come', async () => {
    await using vod = await startVod();
    const body = Buffer.concat([vod.bytes.subarray(0, 5_000)]);
    vod.provider.setRoute(
      '/movie/a.mp4',
      answer(() => ({ body, headers: { 'content-type': '' } })),
    );
    const viewer = await vod.fetch(await vod.create());
    expect(viewer.status).toBe(200);
    expect(viewer.body().equals(body)).toBe(true);
  });
});

describe('HEAD of a file', () => {
  it('is answered with what GET would say, without a body or a viewer', async () => {
    await using vod = await startVod(small);
    const id = await vod.create();
    const got = await vod.fetch(id);
    const viewer = await vod.fetch(id, { method: 'HEAD' });
    const comparable = ({ headers }: typeof viewer) => ({
      ...headers,
      date: '',
      'x-client-id': '',
    });
    expect(viewer.status).toBe(200);
    expect(comparable(viewer)).toEqual(comparable(got));
    expect(viewer.bytes).toBe(0);
    expect(vod.provider.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD']);
    expect(vod.playback.state.told.filter((type) => type === 'client_connected')).toHaveLength(1);
  });

  it.each([
    ['bytes=100-199', 206, 'bytes 100-199/300000', '100'],
    ['bytes=-5', 206, 'bytes 299995-299999/300000', '5'],
    ['bytes=300000-', 416, 'bytes */300000', undefined],
  ])('with %s has status %i', async (range, code, contentRange, length) => {
    await using vod = await startVod(small);
    const viewer = await vod.fetch(await vod.create(), { method: 'HEAD', headers: { range } });
    expect(viewer.status).toBe(code);
    expect(viewer.headers['content-range']).toBe(contentRange);
    if (length !== undefined) expect(viewer.headers['content-length']).toBe(length);
  });

  it.each([
    ['405', status(405)],
    ['403', status(403)],
    ['500', status(500)],
    ['a page', html200()],
  ])('is learnt from one byte when the provider answers it with %s', async (_what, fault) => {
    await using vod = await startVod(small);
    const id = await vod.create();
    const file = vod.bytes;
    vod.provider.setRoute(
      '/movie/a.mp4',
      answer(({ method, headers }) => {
        if (method === 'HEAD' && fault.kind === 'status') return { status: fault.status };
        if (method === 'HEAD') return { headers: { 'content-type': 'text/html' } };
        expect(headers.range).toBe('bytes=0-0');
        return {
          status: 206,
          headers: { 'content-range': `bytes 0-0/${SIZE}`, 'content-type': 'video/mp4' },
          body: file.subarray(0, 1),
        };
      }),
    );
    const viewer = await vod.fetch(id, { method: 'HEAD' });
    expect(viewer.status).toBe(200);
    expect(viewer.headers['content-length']).toBe(String(SIZE));
    expect(viewer.headers['accept-ranges']).toBe('bytes');
    await expect.poll(() => vod.provider.open()).toBe(0);
  });

  it('is refused when no source has the file', async () => {
    await using vod = await startVod(small);
    vod.provider.setFault('*', status(404));
    const viewer = await vod.fetch(await vod.create('/movie/b.mp4'), { method: 'HEAD' });
    expect(viewer.status).toBe(502);
  });

  it('describes the backup when the primary is gone', async () => {
    await using vod = await startVod(small);
    vod.provider.setFault('/movie/a.mp4', status(404));
    const viewer = await vod.fetch(await vod.create('/movie/b.mp4'), { method: 'HEAD' });
    expect(viewer.status).toBe(200);
    expect(viewer.headers['etag']).toBe('"other"');
  });
});

describe('type of a file', () => {
  it.each([
    ['video/webm', 'video/webm'],
    ['application/octet-stream', 'video/mp4'],
    ['text/plain', 'video/mp4'],
  ])('declared as %s is %s', async (contentType, expected) => {
    await using vod = await startVod({ ...small, route: { contentType } });
    expect((await vod.fetch(await vod.create())).headers['content-type']).toBe(expected);
  });

  it.each([
    ['a page by its type', text('Sorry', 'text/html')],
    ['a page by its bytes', text('<!doctype html><html>Sorry</html>', 'video/mp4')],
    ['text by both', text('Too many connections', 'text/plain')],
    ['nothing at all', text('', 'video/mp4')],
  ])('is never that of %s', async (_what, route) => {
    await using vod = await startVod(small);
    vod.provider.setRoute('/movie/a.mp4', route);
    const id = await vod.create();
    const refused = await vod.fetch(id);
    expect(refused.status).toBe(502);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    const backup = await vod.playback.create(`${vod.provider.url('/movie/a.mp4')}?backup`, {
      failoverUrls: [vod.provider.url('/movie/b.mp4')],
    });
    expect((await vod.fetch(backup)).body().equals(vod.bytes)).toBe(true);
  });

  it.each([
    ['by its bytes', text('#EXTM3U\n', 'application/octet-stream')],
    ['by its type', text('', 'application/vnd.apple.mpegurl')],
  ])('that proves to be a playlist, %s, leads to HLS', async (_how, route) => {
    await using vod = await startVod(small);
    vod.provider.setRoute('/movie/a.mp4', route);
    const id = await vod.create();
    const led = await vod.fetch(id);
    expect(led.status).toBe(302);
    expect(led.headers.location).toBe(`../hls/${id}/playlist.m3u8`);
    expect(vod.playback.state.told).not.toContain('stream_failed');
  });
});
