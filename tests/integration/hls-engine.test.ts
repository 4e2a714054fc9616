import { gunzipSync } from 'node:zlib';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import {
  answer,
  redirect,
  startFakeProvider,
  status,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Routes } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import type { HlsBenchOptions } from '../support/hls-bench.ts';

const TYPE = 'application/vnd.apple.mpegurl';
const MEDIA = answer(({ path }) => ({ body: path, headers: { 'content-type': 'video/mp2t' } }));

const live = (first: number, count = 4, token = ''): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${first}\n${Array.from({ length: count }, (_, n) => `#EXTINF:1,\n${first + n}.ts${token}\n`).join('')}`;

type StreamInput = Parameters<Awaited<ReturnType<typeof startHls>>['create']>[1];

async function start(routes: Routes, input: StreamInput = {}, options: HlsBenchOptions = {}) {
  const provider = await startFakeProvider({ '/': MEDIA, ...routes });
  const penstock = await startHls(options);
  const id = await penstock.create(provider.url('/a.m3u8'), input);
  const url = penstock.playlistUrl(id);
  const get = (at = url): Promise<Response> => fetch(at);
  const asked = (path: string): number =>
    provider.requests.filter((seen) => seen.path === path).length;
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { provider, penstock, id, url, get, asked, [Symbol.asyncDispose]: dispose };
}

const playing = (startedMs = Date.now()): number => Math.floor((Date.now() - startedMs) / 1000);

describe('One live playlist', () => {
  it('is polled once per reload for a hundred viewers, who get the same of it', async () => {
    const startedMs = Date.now();
    await using hls = await start({
      '/a.m3u8': answer(() => ({ body: live(playing(startedMs)) })),
    });
    for (let round = 0; round < 8; round += 1) {
      const viewers = Array.from({ length: 100 }, async (_, n) => {
        const response = await hls.get(`${hls.url}?client_id=v${n}`);
        return (await response.text()).replaceAll(`client_id=v${n}`, '');
      });
      // One more where a reload comes in between.
      expect(new Set(await Promise.all(viewers)).size).toBeLessThanOrEqual(2);
    }
    const seconds = (Date.now() - startedMs) / 1000;
    // 1 per 0.9 s where it had changed, 1 per 0.45 s where it had not.
    expect(hls.asked('/a.m3u8')).toBeLessThanOrEqual(Math.ceil(seconds / 0.45) + 1);
    expect(hls.penstock.registry.viewers(asStreamId(hls.id))).toHaveLength(100);
  });

  it('is asked for only where it has changed', async () => {
    const conditions: (string | undefined)[] = [];
    await using hls = await start({
      '/a.m3u8': answer(({ headers }) => {
        const condition = headers['if-none-match'];
        conditions.push(typeof condition === 'string' ? condition : undefined);
        if (condition === '"1"') return { status: 304 };
        return { body: live(1), headers: { etag: '"1"' } };
      }),
    });
    const first = await (await hls.get()).text();
    await expect
      .poll(
        async () => {
          expect(await (await hls.get()).text()).toBe(first);
          return conditions;
        },
        { timeout: 3_000 },
      )
      .toEqual([undefined, '"1"']);
  });

  it('is where redirects lead, also where it has not changed', async () => {
    let edge = 1;
    const listing = answer(({ headers }) => {
      const validator = { etag: '"v1"' };
      if (headers['if-none-match'] === '"v1"') return { status: 304, headers: validator };
      return { body: live(1), headers: validator };
    });
    await using hls = await start({
      '/a.m3u8': answer(() => ({ status: 302, headers: { location: `/edge${edge}/a.m3u8` } })),
      '/edge1/a.m3u8': listing,
      '/edge2/a.m3u8': listing,
    });
    const first = linksIn(await (await hls.get()).text(), hls.url)[0] ?? '';
    expect(await (await fetch(first)).text()).toBe('/edge1/1.ts');
    edge = 2;
    await expect
      .poll(
        async () => {
          const link = linksIn(await (await hls.get()).text(), hls.url)[0] ?? '';
          return (await fetch(link)).text();
        },
        { timeout: 5_000 },
      )
      .toBe('/edge2/1.ts');
  });

  it('comes compressed where it is long and the player can take it', async () => {
    await using hls = await start({ '/a.m3u8': text(live(1, 60), TYPE) });
    const compressed = await rawGet(hls.url, { 'accept-encoding': 'gzip' });
    const plain = await rawGet(hls.url, {});
    expect(compressed.headers).toMatchObject({
      'content-encoding': 'gzip',
      vary: 'Accept-Encoding',
    });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(gunzipSync(compressed.body)).toEqual(plain.body);
    expect(compressed.body.length).toBeLessThan(plain.body.length);
  });

  it('is given on while it cannot be had, and says how old it is', async () => {
    await using hls = await start({ '/a.m3u8': text(live(1), TYPE) });
    const first = await (await hls.get()).text();
    hls.provider.setFault('/a.m3u8', status(503));
    await expect
      .poll(
        async () => {
          const response = await hls.get();
          expect(await response.text()).toBe(first);
          return response.headers.get('x-playlist-stale');
        },
        { timeout: 5_000 },
      )
      .toMatch(/^[12]$/);
  });
});

describe('A sticky stream', () => {
  const routes = {
    '/a.m3u8': redirect('/edge1/a.m3u8'),
    '/edge1/a.m3u8': text(live(1), TYPE),
    '/edge2/a.m3u8': text(live(9), TYPE),
  };
  const sticky = { options: { useStickySession: true } };

  it('keeps to the server that a redirect chose, until that fails', async () => {
    await using hls = await start(routes, sticky as StreamInput);
    await hls.get();
    hls.provider.setRoute('/a.m3u8', redirect('/edge2/a.m3u8'));
    await expect
      .poll(async () => (await hls.get()) && hls.asked('/edge1/a.m3u8'), { timeout: 5_000 })
      .toBe(2);
    expect([hls.asked('/a.m3u8'), hls.asked('/edge2/a.m3u8')]).toEqual([1, 0]);
    hls.provider.setFault('/edge1/a.m3u8', status(403));
    await expect
      .poll(async () => (await hls.get()) && hls.asked('/edge2/a.m3u8'), { timeout: 5_000 })
      .toBe(1);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });

  it('lets go of a server whose playlist stands still', async () => {
    await using hls = await start(routes, sticky as StreamInput);
    await hls.get();
    hls.provider.setRoute('/a.m3u8', redirect('/edge2/a.m3u8'));
    await expect
      .poll(async () => (await hls.get()) && hls.asked('/edge2/a.m3u8'), { timeout: 12_000 })
      .toBeGreaterThan(0);
  });

  it('lets go of a server that has lost its segments', async () => {
    const startedMs = Date.now();
    const growing = answer(() => ({ body: live(playing(startedMs)) }));
    await using hls = await start({ ...routes, '/edge1/a.m3u8': growing }, sticky as StreamInput);
    const links = linksIn(await (await hls.get()).text(), hls.url);
    hls.provider.setRoute('/a.m3u8', redirect('/edge2/a.m3u8'));
    for (const n of [0, 1]) hls.provider.setFault(`/edge1/${n}.ts`, status(500));
    await Promise.all(links.slice(0, 2).map((link) => fetch(link)));
    await expect
      .poll(async () => (await hls.get()) && hls.asked('/edge2/a.m3u8'), { timeout: 5_000 })
      .toBeGreaterThan(0);
  });
});

describe('A stream whose playlist is redirected to another origin', () => {
  it('shows that its secrets neither for playlists nor for segments', async () => {
    await using edge = await startFakeProvider({ '/': MEDIA, '/a.m3u8': text(live(1), TYPE) });
    const headers = { Authorization: 'Bearer secret', Cookie: 'a=b', 'X-App': 'yes' };
    await using hls = await start({ '/a.m3u8': redirect(edge.url('/a.m3u8')) }, { headers });
    const [link = ''] = linksIn(await (await hls.get()).text(), hls.url);
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(`${link}&x`, { method: 'HEAD' })).status).toBe(200);
    expect(edge.requests.length).toBeGreaterThan(1);
    for (const { headers: sent } of edge.requests) {
      expect(sent).toMatchObject({ 'x-app': 'yes' });
      expect(Object.keys(sent).join()).not.toMatch(/authorization|cookie/);
    }
  });
});

describe('A viewer who stops polling', () => {
  it('is gone after three target durations, where that is longer than the setting', async () => {
    await using hls = await start(
      { '/a.m3u8': text(live(1), TYPE) },
      {},
      { hls: { viewerIdleMs: 50 } },
    );
    await hls.get();
    const polledAtMs = performance.now();
    const viewers = (): number => hls.penstock.registry.viewers(asStreamId(hls.id)).length;
    expect(viewers()).toBe(1);
    await expect.poll(viewers, { timeout: 10_000, interval: 20 }).toBe(0);
    expect(performance.now() - polledAtMs).toBeGreaterThan(2_900);
  });
});

describe('A segment whose token has grown old', () => {
  it('comes from its new URL after one look at the source’s own address', async () => {
    let token = 1;
    await using hls = await start({
      '/a.m3u8': answer(() => ({ body: live(5, 4, `?t=${token}`) })),
      '/': answer(({ url, path }) =>
        url.endsWith(`t=${token}`) ? { body: path } : { status: 403 },
      ),
    });
    const links = linksIn(await (await hls.get()).text(), hls.url);
    token = 2;
    const before = hls.asked('/a.m3u8');
    const bodies = await Promise.all(links.map(async (link) => (await fetch(link)).text()));
    expect(bodies).toEqual(['/5.ts', '/6.ts', '/7.ts', '/8.ts']);
    expect(hls.asked('/a.m3u8') - before).toBe(1);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });
});

describe('A part whose token has grown old', () => {
  it('comes from its new URL, as whole segments do, gaps or not', async () => {
    let token = 1;
    const list = (): string =>
      [
        '#EXTM3U',
        '#EXT-X-TARGETDURATION:1',
        '#EXT-X-PART-INF:PART-TARGET=0.5',
        '#EXT-X-MEDIA-SEQUENCE:5',
        '#EXT-X-GAP',
        '#EXTINF:1,',
        '5.ts',
        '#EXTINF:1,',
        `6.ts?t=${token}`,
        `#EXT-X-PART:DURATION=0.5,URI="7.0.ts?t=${token}"`,
        '',
      ].join('\n');
    await using hls = await start({
      '/a.m3u8': answer(() => ({ body: list() })),
      '/': answer(({ url, path }) =>
        url.endsWith(`t=${token}`) ? { body: path } : { status: 403 },
      ),
    });
    const [, ...links] = linksIn(await (await hls.get()).text(), hls.url);
    token = 2;
    const bodies = await Promise.all(links.map(async (link) => (await fetch(link)).text()));
    expect(bodies).toEqual(['/6.ts', '/7.0.ts']);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });
});

describe('A viewer who is kicked', () => {
  it('is refused when it asks again, and counted once', async () => {
    await using hls = await start({ '/a.m3u8': text(live(1), TYPE) });
    const first = await hls.get(`${hls.url}?client_id=me`);
    const [link = ''] = linksIn(await first.text(), hls.url);
    expect(await hls.penstock.registry.kick('me' as never, asStreamId(hls.id))).toBe(true);
    for (const url of [`${hls.url}?client_id=me`, link]) {
      const refused = await hls.get(url);
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ code: 'VIEWER_KICKED' });
    }
    expect((await hls.get(`${hls.url}?client_id=other`)).status).toBe(200);
    const told = hls.penstock.state.told.filter((type) => type === 'client_disconnected');
    expect(told).toHaveLength(1);
  });

  it('may come back at once when its app says that it has left', async () => {
    await using hls = await start({ '/a.m3u8': text(live(1), TYPE) });
    await hls.get(`${hls.url}?client_id=me`);
    await hls.penstock.registry.dismiss('me' as never, asStreamId(hls.id));
    expect((await hls.get(`${hls.url}?client_id=me`)).status).toBe(200);
  });
});

type Raw = { readonly headers: NodeJS.Dict<string | string[]>; readonly body: Buffer };

/** As it is on the wire: `fetch` decompresses. */
async function rawGet(url: string, headers: Record<string, string>): Promise<Raw> {
  const asking = request(url, { headers }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { headers: response.headers, body: Buffer.concat(chunks) };
}

describe('What was done for a stream', () => {
  it('is counted: playlists and segments, for the stream and for each viewer', async () => {
    await using hls = await start({ '/a.m3u8': text(live(1), TYPE) });
    const [first = ''] = linksIn(await (await hls.get(`${hls.url}?client_id=a`)).text(), hls.url);
    await (await hls.get(first)).text();
    await (await hls.get(`${hls.url}?client_id=b`)).text();
    await (await hls.get(first.replace('client_id=a', 'client_id=b'))).text();
    const stats = hls.penstock.hls.statsOf(asStreamId(hls.id));
    expect(stats?.playlists).toEqual({ requests: 2, cacheHits: 1, polls: 1, stale: 0 });
    expect(stats?.health).toBe('good');
    expect(stats?.stream).toMatchObject({ requests: 2, fetched: 1, cacheHits: 1 });
    expect(stats?.viewer('b' as never)).toMatchObject({ requests: 1, cacheHits: 1, bytes: 5 });
  });
});
