import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { asClientId, asStreamId } from '#kernel/ids';
import { SegmentStore } from '#segments';
import { systemClock, systemTimers } from '#kernel/clock';
import {
  answer,
  slowBody,
  stallAfter,
  startFakeProvider,
  text,
  times,
  trickle,
  truncateAfter,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Route } from '../../scripts/faultd.d/fake-provider.ts';
import { PLAYLIST_TYPE, singleFile, title } from '../support/hls-titles.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { RawOrigin } from '../support/raw-origin.ts';
import { Viewer, fetchOnce } from '../support/viewer.ts';

type Store = { readonly memoryBytes?: number };

async function start(
  routes: Record<string, Route>,
  { memoryBytes = 64 * 1024 * 1024 }: Store = {},
) {
  const provider = await startFakeProvider(routes);
  const store = new SegmentStore({ memoryBytes, clock: systemClock, timers: systemTimers });
  const penstock = await startHls({ headersMs: 3000, hls: { store } });
  const id = await penstock.create(provider.url('/v/index.m3u8'));
  const url = penstock.playlistUrl(id);
  const linksOf = async (viewer: string): Promise<string[]> =>
    linksIn(await (await fetch(`${url}?client_id=${viewer}`)).text(), url);
  return {
    provider,
    penstock,
    store,
    id,
    linksOf,
    async [Symbol.asyncDispose]() {
      await penstock[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

describe('one segment for many viewers', () => {
  it('is fetched once while it comes, and once when it has come', async () => {
    const { routes, bodies } = title(3, { sizeBytes: 200_000 });
    await using hls = await start(routes);
    hls.provider.setFault('/v/', slowBody(50));
    const names = Array.from({ length: 10 }, (_, n) => `viewer-${n}`);
    const links = await Promise.all(names.map((name) => hls.linksOf(name)));
    for (const [n, body] of bodies.entries()) {
      const viewers = await Promise.all(links.map((own) => fetchOnce(own[n] ?? '')));
      expect(viewers.every((viewer) => viewer.body().equals(body))).toBe(true);
      expect((await fetchOnce(links[0]?.[n] ?? '')).body().equals(body)).toBe(true);
      expect(hls.provider.requestsOf(`/v/${n}.ts`)).toHaveLength(1);
    }
    const counts = hls.penstock.hls.countsOf(asStreamId(hls.id));
    // Who comes a moment too late on a busy machine gets it from memory.
    const { cacheHits = 0, coalesced = 0, ...others } = counts?.stream ?? {};
    expect(others).toEqual({ bytes: 33 * 200_000, requests: 33, aheadHits: 0, fetched: 3 });
    expect(cacheHits + coalesced).toBe(30);
    expect(coalesced).toBeGreaterThan(0);
    expect(counts?.viewer(asClientId('viewer-1'))).toMatchObject({ requests: 3, bytes: 600_000 });
    expect(hls.penstock.hls.memory).toMatchObject({ memoryBytes: 600_000, memorySegments: 3 });
  });

  it('is fed to all as it comes, and one that joins late misses nothing', async () => {
    const { routes, bodies } = title(1, { sizeBytes: 400_000 });
    await using hls = await start(routes);
    hls.provider.setFault('/v/0.ts', trickle(800_000));
    const [link = ''] = await hls.linksOf('one');
    await using early = await new Viewer(link).reached(50_000);
    expect(early.bytes).toBeLessThan(400_000);
    await using late = await new Viewer(link).reached(50_000);
    expect(early.ending).toBeUndefined();
    expect([await early.ended(), await late.ended()]).toEqual(['clean', 'clean']);
    expect(late.body().equals(bodies[0] ?? Buffer.alloc(0))).toBe(true);
    expect(hls.provider.requestsOf('/v/0.ts')).toHaveLength(1);
  });

  it('goes on for the others when the one that began it leaves', async () => {
    const { routes } = title(1, { sizeBytes: 400_000 });
    await using hls = await start(routes);
    hls.provider.setFault('/v/0.ts', trickle(800_000));
    const [link = ''] = await hls.linksOf('one');
    const first = await new Viewer(link).reached(20_000);
    await using second = await new Viewer(link).reached(20_000);
    first.leave();
    expect(await second.ended()).toBe('clean');
    expect(hls.provider.requestsOf('/v/0.ts')).toHaveLength(1);
  });

  it('is slowed by none of them', async () => {
    const { routes } = title(1, { sizeBytes: 16 * 1024 * 1024 });
    await using hls = await start(routes);
    const [link = ''] = await hls.linksOf('one');
    await using slow = await new Viewer(link).started();
    slow.pause();
    expect((await fetchOnce(link)).bytes).toBe(16 * 1024 * 1024);
    expect(hls.provider.open('/v/0.ts')).toBe(0);
    slow.resume();
    expect(await slow.ended()).toBe('clean');
    expect(hls.provider.requestsOf('/v/0.ts')).toHaveLength(1);
  });

  it.each([
    ['stalls', stallAfter(100_000)],
    ['ends too early', truncateAfter(100_000)],
  ])('is nobody’s as a part when it %s half-way for good', async (_name, fault) => {
    const { routes } = title(1, { sizeBytes: 400_000 });
    await using hls = await start(routes);
    hls.provider.setFault('/v/0.ts', fault);
    const [link = ''] = await hls.linksOf('one');
    const viewers = await Promise.all([fetchOnce(link), fetchOnce(link), fetchOnce(link)]);
    expect(viewers.map(({ ending }) => ending)).toEqual(['broken', 'broken', 'broken']);
    expect(hls.provider.requestsOf('/v/0.ts').length).toBeLessThanOrEqual(6);
    hls.provider.clearFault('/v/0.ts');
    expect(await fetchOnce(link)).toMatchObject({ ending: 'clean', bytes: 400_000 });
  });

  it('is whole within one target duration when it stalls half-way once', async () => {
    const { routes, bodies } = title(1, { sizeBytes: 400_000 });
    await using hls = await start(routes);
    hls.provider.setFault('/v/0.ts', times(1, stallAfter(200_000)));
    const [link = ''] = await hls.linksOf('one');
    const viewers = await Promise.all([fetchOnce(link), fetchOnce(link)]);
    for (const viewer of viewers)
      expect(viewer.body().equals(bodies[0] ?? viewer.body())).toBe(true);
    expect(hls.provider.requestsOf('/v/0.ts')).toHaveLength(2);
  });
});

describe('a segment that is larger than the budget', () => {
  it('passes through uncached, at the pace of its reader', async () => {
    const sizeBytes = 40 * 1024 * 1024;
    const { routes, bodies } = title(1, { sizeBytes });
    await using hls = await start(routes, { memoryBytes: 8 * 1024 * 1024 });
    const [link = ''] = await hls.linksOf('one');
    await using slow = await new Viewer(link).started();
    slow.pause();
    expect((await fetchOnce(link)).body().equals(bodies[0] ?? Buffer.alloc(0))).toBe(true);
    expect(hls.penstock.hls.memory).toMatchObject({ memorySegments: 0, memoryBytes: 0 });
    expect(hls.provider.requestsOf('/v/0.ts').length).toBeLessThanOrEqual(2);
  });

  it('is passed on from where a slow reader fell behind, by a request of its own', async () => {
    const body = randomBytes(24 * 1024 * 1024);
    const { routes } = title(1);
    const file = singleFile(body, 'video/mp2t');
    await using hls = await start({ ...routes, '/v/0.ts': file }, { memoryBytes: 1024 * 1024 });
    const [link = ''] = await hls.linksOf('one');
    hls.provider.setFault('/v/0.ts', times(1, trickle(4_000_000)));
    const fast = new Viewer(link);
    await using slow = await new Viewer(link).started();
    slow.pause();
    await fast.reached(12 * 1024 * 1024);
    fast.leave();
    slow.resume();
    expect(await slow.ended()).toBe('clean');
    expect(slow.body().equals(body)).toBe(true);
  });
});

describe('parts of one file', () => {
  const MOVIE = randomBytes(100_000);
  const LIST = `#EXTM3U
#EXT-X-TARGETDURATION:1
#EXT-X-MAP:URI="m.mp4",BYTERANGE="1000@0"
#EXTINF:1,
#EXT-X-BYTERANGE:49000@1000
m.mp4
#EXTINF:1,
#EXT-X-BYTERANGE:50000
m.mp4
#EXT-X-ENDLIST
`;
  const RANGES = ['bytes=0-999', 'bytes=1000-49999', 'bytes=50000-99999'];

  it('are each fetched once, and are what was asked for', async () => {
    await using hls = await start({
      '/v/index.m3u8': text(LIST, PLAYLIST_TYPE),
      '/v/m.mp4': singleFile(MOVIE, 'video/mp4'),
    });
    for (const viewer of ['one', 'two']) {
      const [map = '', segment = ''] = await hls.linksOf(viewer);
      const parts: Buffer[] = [];
      for (const [n, range] of RANGES.entries()) {
        const got = await fetchOnce(n === 0 ? map : segment, { headers: { range } });
        expect([got.status, got.headers['content-range']]).toEqual([
          206,
          `bytes ${range.slice(6)}/100000`,
        ]);
        parts.push(got.body());
      }
      expect(Buffer.concat(parts).equals(MOVIE)).toBe(true);
    }
    const asked = hls.provider.requestsOf('/v/m.mp4').map(({ headers }) => headers.range);
    expect(asked).toEqual(RANGES);
  });

  it('are cut out of the whole when their source knows no ranges', async () => {
    await using hls = await start({
      '/v/index.m3u8': text(LIST, PLAYLIST_TYPE),
      '/v/m.mp4': text(MOVIE, 'video/mp4'),
    });
    const [, segment = ''] = await hls.linksOf('one');
    for (const range of RANGES.slice(1)) {
      const got = await fetchOnce(segment, { headers: { range } });
      const [first = 0, last = 0] = range.slice(6).split('-').map(Number);
      expect([got.status, got.body().equals(MOVIE.subarray(first, last + 1))]).toEqual([206, true]);
    }
    expect(hls.provider.requestsOf('/v/m.mp4')).toHaveLength(1);
  });

  it.each([
    ['bytes=0-99', {}, 206, 100],
    ['bytes=99990-', {}, 206, 10],
    ['bytes=-50', {}, 206, 50],
    ['bytes=5-2', {}, 200, 100_000],
    ['bytes=100000-', {}, 416, 0],
    ['bytes=0-1,5-6', {}, 200, 100_000],
    ['bytes=0-99', { 'if-range': '"v1"' }, 206, 100],
    ['bytes=0-99', { 'if-range': '"old"' }, 200, 100_000],
  ])('are the same from a warm cache and a cold one: %s %o', async (range, extra, code, bytes) => {
    const { routes } = title(2);
    const whole = text(MOVIE, 'video/mp2t', { headers: { etag: '"v1"' } });
    await using hls = await start({ ...routes, '/v/0.ts': whole, '/v/1.ts': whole });
    const [warm = '', cold = ''] = await hls.linksOf('one');
    await fetchOnce(warm);
    for (const link of [warm, cold]) {
      const got = await fetchOnce(link, { headers: { range, ...extra } });
      expect([got.status, got.bytes]).toEqual([code, bytes]);
    }
    expect(hls.provider.requestsOf('/v/0.ts')).toHaveLength(1);
  });
});

const KEY = '0123456789abcdef';

describe('keys', () => {
  const LIST = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\n0.ts\n`;

  it('are asked for together, kept by nobody, and new at once when they change', async () => {
    let key = '0123456789abcde0';
    const route = answer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { headers: { 'content-length': '16' }, body: key };
    });
    await using hls = await start({ '/v/index.m3u8': text(LIST, PLAYLIST_TYPE), '/v/k': route });
    const [link = ''] = await hls.linksOf('one');
    for (const round of ['1', '2', '3']) {
      key = `0123456789abcde${round}`;
      const got = await Promise.all([fetchOnce(link), fetchOnce(link), fetchOnce(link)]);
      expect(got.map((one) => one.body().toString())).toEqual([key, key, key]);
      expect(got[0]?.headers['cache-control']).toBe('no-store');
    }
    expect(hls.provider.requestsOf('/v/k')).toHaveLength(3);
    expect(hls.penstock.hls.memory.memorySegments).toBe(0);
  });

  it('are whole, whichever part of them is asked for', async () => {
    const routes = { '/v/index.m3u8': text(LIST, PLAYLIST_TYPE), '/v/k': text(KEY) };
    await using hls = await start(routes);
    const [link = ''] = await hls.linksOf('one');
    const got = await fetch(link, { headers: { range: 'bytes=0-3' } });
    expect([got.status, await got.text()]).toEqual([200, KEY]);
    expect(hls.provider.requestsOf('/v/k')[0]?.headers['range']).toBeUndefined();
  });

  it.each(['short', 'much longer than sixteen bytes'])(
    'are refused when they have not the length of a key and nobody said their length: %s',
    async (body) => {
      const chunked = `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}`;
      await using keys = await RawOrigin.start(({ socket }) => {
        socket.end(`HTTP/1.1 200 OK\r\n${chunked}\r\n0\r\n\r\n`);
      });
      const list = LIST.replace('"k"', `"${keys.url('/k')}"`);
      await using hls = await start({ '/v/index.m3u8': text(list, PLAYLIST_TYPE) });
      const [link = ''] = await hls.linksOf('one');
      const got = await fetch(link);
      expect([got.status, await got.json()]).toEqual([
        502,
        expect.objectContaining({ code: 'UPSTREAM_WRONG_TYPE' }),
      ]);
      expect(keys.requests).toHaveLength(1);
    },
  );
});
