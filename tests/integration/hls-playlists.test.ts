import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import {
  answer,
  gzip,
  redirect,
  slowHeaders,
  startFakeProvider,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Routes } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import type { HlsBenchOptions } from '../support/hls-bench.ts';

const TYPE = 'application/vnd.apple.mpegurl';

const media = (...segments: string[]): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n${segments.map((uri) => `#EXTINF:4.0,\n${uri}\n`).join('')}`;

async function start(routes: Routes, options: HlsBenchOptions = {}) {
  const provider = await startFakeProvider(routes);
  const penstock = await startHls(options);
  const load = async (path: string, over = {}) => {
    const id = await penstock.create(provider.url(path), over);
    const url = penstock.playlistUrl(id);
    const response = await fetch(url);
    return { id, url, response, body: await response.text() };
  };
  const askedUrls = (): string[] => provider.requests.map(({ url }) => url);
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { provider, penstock, load, askedUrls, [Symbol.asyncDispose]: dispose };
}

const statusOf = async (url: string, method = 'GET'): Promise<number> =>
  (await fetch(url, { method })).status;

/** Follows the links of a playlist, one after the other. */
async function follow(body: string, url: string): Promise<void> {
  for (const link of linksIn(body, url)) await (await fetch(link)).arrayBuffer();
}

describe('an HLS playlist', () => {
  it('comes with its type, never stored, and says for whom it is', async () => {
    await using hls = await start({ '/a.m3u8': text(media('1.ts'), 'text/plain') });
    const { id, response } = await hls.load('/a.m3u8');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': TYPE,
      'cache-control': 'no-cache',
      'x-stream-id': id,
      'x-client-id': expect.stringMatching(/^client_[0-9a-f]{16}$/),
    });
  });

  it('has links that are relative, the same with every poll, and lead back with the same viewer', async () => {
    await using hls = await start({
      '/a.m3u8': text(media('1.ts', 'http://other.example/2.ts'), TYPE),
    });
    const { url, body, response } = await hls.load('/a.m3u8');
    const clientId = response.headers.get('x-client-id') ?? '';
    expect(body.match(/^segment\.ts\?h=[\w-]+&client_id=.*$/gm)).toHaveLength(2);
    expect(body).not.toContain('other.example');
    expect(
      linksIn(body, url).every((link) => new URL(link).searchParams.get('client_id') === clientId),
    ).toBe(true);
    expect(await (await fetch(url)).text()).toBe(body);
  });

  it('writes the viewer’s own id encoded', async () => {
    await using hls = await start({ '/a.m3u8': text(media('1.ts'), TYPE) });
    const { url } = await hls.load('/a.m3u8');
    const response = await fetch(`${url}?client_id=${encodeURIComponent('a b&c="x')}`);
    expect(await response.text()).toMatch(/&client_id=a%20b%26c%3D%22x$/m);
    expect(response.headers.get('x-client-id')).toBe('a b&c="x');
  });

  it.each([
    ['beside the playlist', 'seg.ts', '/live/p/seg.ts'],
    ['from the root', '/seg.ts', '/seg.ts'],
    ['above', '../seg.ts', '/live/seg.ts'],
    ['a query alone', '?n=1', '/live/p/index.m3u8?n=1'],
    ['a signed token, untouched', 'seg.ts?t=a%2Fb%20c+d&e=', '/live/p/seg.ts?t=a%2Fb%20c+d&e='],
    ['non-ASCII', 'ü.ts', '/live/p/%C3%BC.ts'],
  ])('asks the provider for the right address: %s', async (_name, uri, asked) => {
    await using hls = await start({ '/live/p/index.m3u8': text(media(uri), TYPE) });
    const { body, url } = await hls.load('/live/p/index.m3u8');
    await follow(body, url);
    expect(hls.askedUrls()).toContain(asked);
  });

  it('resolves against where redirects led', async () => {
    await using hls = await start({
      '/entry.m3u8': redirect('/cdn/token/index.m3u8'),
      '/cdn/token/index.m3u8': text(media('seg.ts'), TYPE),
    });
    const { body, url } = await hls.load('/entry.m3u8');
    await follow(body, url);
    expect(hls.askedUrls()).toContain('/cdn/token/seg.ts');
  });

  it('keeps credentials from where another host’s redirects lead', async () => {
    await using cdn = await startFakeProvider({ '/index.m3u8': text(media('seg.ts'), TYPE) });
    const elsewhere = cdn.url('/index.m3u8').replace('127.0.0.1', 'localhost');
    await using hls = await start({ '/entry.m3u8': redirect(elsewhere) });
    const headers = { Authorization: 'Bearer secret', Cookie: 'session=1', 'X-App': 'yes' };
    const { response } = await hls.load('/entry.m3u8', { headers });
    expect(response.status).toBe(200);
    expect(hls.provider.requests[0]?.headers).toMatchObject({ authorization: 'Bearer secret' });
    expect(cdn.requests[0]?.headers).toMatchObject({ 'x-app': 'yes' });
    expect(Object.keys(cdn.requests[0]?.headers ?? {}).join()).not.toMatch(/authorization|cookie/);
  });

  it('passes all but URIs through: CRLF, titles, comments, unknown tags', async () => {
    const original =
      '#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n# hi\r\n#X-Y:Z\r\n#EXTINF:4.0000,Köln 日本\r\na.ts\r\n';
    await using hls = await start({ '/a.m3u8': text(original, TYPE) });
    const { body } = await hls.load('/a.m3u8');
    expect(body.replace(/segment\.ts\?\S+/, 'a.ts')).toBe(original);
  });

  it('gives back bytes that are no UTF-8 as they came', async () => {
    const original = Buffer.from(
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,K\xF6ln\na\xE9.ts\n',
      'latin1',
    );
    await using hls = await start({
      '/a.m3u8': text(original, TYPE),
      '/a%E9.ts': text('media', 'video/mp2t'),
    });
    const { url } = await hls.load('/a.m3u8');
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(bytes.toString('latin1')).toContain('#EXTINF:4,K\xF6ln\n');
    await follow(bytes.toString('latin1'), url);
    expect(hls.provider.requests.at(-1)?.url).toBe('/a%E9.ts');
  });

  it('may be compressed, and larger than a mebibyte', async () => {
    const name = 'n'.repeat(150);
    const original = media(...Array.from({ length: 8_000 }, (_, n) => `${name}-${n}.ts`));
    await using hls = await start({ '/a.m3u8': text(original, TYPE) }, { headersMs: 10_000 });
    hls.provider.setFault('/a.m3u8', gzip());
    const { body } = await hls.load('/a.m3u8');
    expect(original.length).toBeGreaterThan(1024 * 1024);
    expect(body.match(/^segment\.ts\?h=/gm)).toHaveLength(8_000);
    expect(body.length).toBeGreaterThan(original.length);
  });

  it('leads to its variants, whatever their names, with the headers of the source and none of the viewer', async () => {
    await using hls = await start({
      '/m.m3u8': text('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nchunklist?id=1\n', TYPE),
      '/chunklist': text(media('1.ts'), 'text/html'),
      '/1.ts': text('media', 'video/mp2t'),
    });
    const { body, url } = await hls.load('/m.m3u8', {
      userAgent: 'UA/9',
      headers: { 'X-Token': 't' },
    });
    const viewer = {
      Cookie: 'c=1',
      Authorization: 'Basic eA==',
      Referer: 'http://r/',
      'X-Forwarded-For': '9.9.9.9',
    };
    const [variant = ''] = linksIn(body, url);
    const [segment = ''] = linksIn(
      await (await fetch(variant, { headers: viewer })).text(),
      variant,
    );
    await (await fetch(segment, { headers: viewer })).text();
    expect(hls.provider.requests.map(({ url: asked }) => asked)).toEqual([
      '/m.m3u8',
      '/chunklist?id=1',
      '/1.ts',
    ]);
    for (const { headers } of hls.provider.requests) {
      expect(headers).toMatchObject({ 'user-agent': 'UA/9', 'x-token': 't' });
      expect(Object.keys(headers).join()).not.toMatch(/cookie|authorization|referer|forwarded/);
    }
  });

  it('puts variables of the multivariant playlist in place in its children', async () => {
    await using hls = await start({
      '/m.m3u8': text(
        '#EXTM3U\n#EXT-X-DEFINE:NAME="dir",VALUE="x"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n',
        TYPE,
      ),
      '/v.m3u8': text(
        `#EXTM3U\n#EXT-X-DEFINE:IMPORT="dir"\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{$dir}/1.ts\n`,
        TYPE,
      ),
    });
    const { body, url } = await hls.load('/m.m3u8');
    const [variant = ''] = linksIn(body, url);
    const child = await (await fetch(variant)).text();
    expect(child).not.toContain('DEFINE');
    await follow(child, variant);
    expect(hls.askedUrls()).toContain('/x/1.ts');
  });

  it('names a rendition by one link everywhere', async () => {
    const report = '#EXT-X-RENDITION-REPORT:URI="v1.m3u8",LAST-MSN=1\n';
    await using hls = await start({
      '/m.m3u8': text(
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv0.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nv1.m3u8\n',
        TYPE,
      ),
      '/v0.m3u8': text(media('1.ts') + report, TYPE),
    });
    const { body, url } = await hls.load('/m.m3u8');
    const [first = '', second = ''] = linksIn(body, url);
    const child = await (await fetch(first)).text();
    expect(linksIn(child, first).at(-1)).toBe(second);
  });

  it('hands the directives of low-latency reloads on, and does without where they are refused', async () => {
    const control = '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6\n';
    await using hls = await start({
      '/a.m3u8': answer(({ url }) =>
        url.includes('_HLS_skip') ? { status: 400 } : { body: media('1.ts') + control },
      ),
    });
    const { url } = await hls.load('/a.m3u8');
    await fetch(`${url}?_HLS_part=2&_HLS_msn=1&other=1&_HLS_bad=%0A&_HLS_else=x`);
    expect((await fetch(`${url}?_HLS_msn=2&_HLS_skip=YES`)).status).toBe(200);
    expect(hls.provider.requests.map(({ url: asked }) => asked)).toEqual([
      '/a.m3u8',
      '/a.m3u8?_HLS_msn=1&_HLS_part=2',
      '/a.m3u8?_HLS_msn=2&_HLS_skip=YES',
      '/a.m3u8',
    ]);
  });

  it.each([
    ['a source that holds no reloads', '', '_HLS_msn=1'],
    ['places that no server waits for', '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n', ''],
  ])('is polled once, whatever players say to %s', async (_name, control, last) => {
    await using hls = await start({ '/a.m3u8': text(media('1.ts') + control, TYPE) });
    const { url } = await hls.load('/a.m3u8');
    const said = ['_HLS_msn=90', '_HLS_msn=1&_HLS_part=900', '_HLS_skip=YES', '_HLS_x=1', last];
    for (const query of said) expect((await fetch(`${url}?${query}`)).status).toBe(200);
    expect(hls.provider.requests).toHaveLength(1);
  });

  it('is fetched once for viewers who ask at the same time, each with links of its own', async () => {
    await using hls = await start({ '/a.m3u8': text(media('1.ts'), TYPE) }, { headersMs: 5000 });
    const id = await hls.penstock.create(hls.provider.url('/a.m3u8'));
    hls.provider.setFault('/a.m3u8', slowHeaders(1500));
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const response = await fetch(`${hls.penstock.playlistUrl(id)}?client_id=viewer-${n}`);
        return response.text();
      }),
    );
    expect(hls.provider.requests).toHaveLength(1);
    expect(new Set(bodies).size).toBe(20);
    expect(hls.penstock.registry.viewers(asStreamId(id))).toHaveLength(20);
  });

  it('counts its viewer while it polls, and no longer', async () => {
    await using hls = await start(
      {
        '/a.m3u8': text(media('1.ts').replace(':4\n', ':1\n'), TYPE),
        '/1.ts': text('x'.repeat(1000), 'video/mp2t'),
      },
      { hls: { viewerIdleMs: 300 } },
    );
    const { id, url, body } = await hls.load('/a.m3u8');
    await follow(body, url);
    const [viewer] = hls.penstock.registry.viewers(asStreamId(id));
    expect(viewer).toMatchObject({ segmentsServed: 1, bytesServed: body.length + 1000 });
    await expect
      .poll(() => hls.penstock.state.told, { timeout: 6_000 })
      .toEqual(['stream_started', 'client_connected', 'client_disconnected', 'stream_stopped']);
  });

  it('is answered with 404, 403 and 405 where there is nothing to answer', async () => {
    await using hls = await start({ '/a.m3u8': text(media('1.ts'), TYPE) });
    const { url, body } = await hls.load('/a.m3u8');
    const [segment = ''] = linksIn(body, url);
    expect(await statusOf(url.replace(/[0-9a-f]{32}/, '0'.repeat(32)))).toBe(404);
    expect(await statusOf(url.replace(/[0-9a-f]{32}/, 'nonsense'))).toBe(404);
    expect(await statusOf(`${url}?h=AAAA`)).toBe(403);
    expect(await statusOf(segment.replace('segment.ts', 'playlist.m3u8'))).toBe(403);
    expect(await statusOf(segment.split('?')[0] ?? '')).toBe(422);
    expect(await statusOf(url, 'HEAD')).toBe(405);
    expect(await statusOf(segment, 'POST')).toBe(405);
    expect(hls.provider.requests).toHaveLength(1);
  });

  it('learns that a stream is HLS whose address does not say so', async () => {
    await using hls = await start({ '/channel/7': text(media('1.ts'), 'text/plain') });
    const { id, response } = await hls.load('/channel/7');
    expect(response.status).toBe(200);
    expect((await hls.penstock.registry.get(asStreamId(id))).kind).toBe('hls');
  });
});
