import { randomBytes } from 'node:crypto';
import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Egress } from '#upstream';
import { answer, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import { refusedUrl } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { startLive } from '../support/live-bench.ts';
import { TestProxy } from '../support/proxies.ts';
import { startVod } from '../support/vod-bench.ts';

const TYPE = 'application/vnd.apple.mpegurl';
const [KEY, IV] = [randomBytes(16), Buffer.alloc(16)];
const cipher = createCipheriv('aes-128-cbc', KEY, IV);
const SEGMENT = Buffer.concat([cipher.update(Buffer.alloc(1880, 0x47)), cipher.final()]);

const MASTER =
  '#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI="steer.json"\n' +
  '#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n';
const MEDIA =
  '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n' +
  `#EXT-X-KEY:METHOD=AES-128,URI="k.bin",IV=0x${IV.toString('hex')}\n` +
  '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\ns.ts\n#EXT-X-ENDLIST\n';

const ROUTES = {
  '/index.m3u8': text(MASTER, TYPE),
  '/v.m3u8': text(MEDIA, TYPE),
  '/steer.json': text('{"VERSION":1,"TTL":300,"PATHWAY-PRIORITY":["a"]}', 'application/json'),
  '/k.bin': answer(() => ({ body: KEY })),
  '/s.ts': answer(() => ({ body: SEGMENT, headers: { 'content-type': 'video/mp2t' } })),
  '/init.mp4': answer(() => ({ body: SEGMENT, headers: { 'content-type': 'video/mp4' } })),
};

const via = (proxy: TestProxy, scheme: 'http' | 'socks5'): Egress => ({
  kind: scheme === 'http' ? 'http-connect' : 'socks5',
  url: proxy.url(scheme),
  resolve: 'local',
});

const startProxy = (scheme: 'http' | 'socks5'): Promise<TestProxy> =>
  scheme === 'http' ? TestProxy.connect() : TestProxy.socks5();

/** Follows every link, down to what is no playlist. */
async function playAll(url: string): Promise<number> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  if (!response.headers.get('content-type')?.includes('mpegurl')) {
    await response.arrayBuffer();
    return 1;
  }
  const counts = linksIn(await response.text(), url).map((link) => playAll(link));
  return 1 + (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

describe.each(['http', 'socks5'] as const)('a stream whose way out is a proxy: %s', (scheme) => {
  it('has its playlists, documents, key, init section and segments through it', async () => {
    await using provider = await startFakeProvider(ROUTES);
    await using proxy = await startProxy(scheme);
    await using hls = await startHls();
    const egress = via(proxy, scheme);
    const id = await hls.create(provider.url('/index.m3u8'), { egress });
    expect(await playAll(hls.playlistUrl(id))).toBe(6);
    const connections = new Set(provider.requests.map(({ socketId }) => socketId));
    expect(provider.requests).toHaveLength(6);
    expect(connections.size).toBe(proxy.ports.length);
  });

  it('has its live bytes through it', async () => {
    await using proxy = await startProxy(scheme);
    await using live = await startLive();
    const id = await live.playback.create(live.primary, { egress: via(proxy, scheme) });
    await using viewer = await live.watch(id).started();
    await viewer.reached(500_000);
    expect(proxy.ports).toHaveLength(1);
    expect(live.provider.requests).toHaveLength(1);
  });

  it('has what its playlist is made into through it, key and segments too', async () => {
    const clear = MEDIA.replace(/#EXT-X-MAP.*\n/, '');
    await using provider = await startFakeProvider({ ...ROUTES, '/v.m3u8': text(clear, TYPE) });
    await using proxy = await startProxy(scheme);
    await using live = await startLive({ converts: 'all' });
    const url = provider.url('/index.m3u8');
    const id = await live.playback.create(url, { egress: via(proxy, scheme) });
    await using viewer = live.watch(id);
    expect(await viewer.ended()).toBe('clean');
    const connections = new Set(provider.requests.map(({ socketId }) => socketId));
    expect(provider.requests.map(({ path }) => path)).toEqual([
      '/index.m3u8',
      '/v.m3u8',
      '/k.bin',
      '/s.ts',
    ]);
    expect(connections.size).toBe(proxy.ports.length);
  });

  it('has its files and their ranges through it', async () => {
    await using proxy = await startProxy(scheme);
    await using vod = await startVod({ sizeBytes: 100_000 });
    const id = await vod.playback.create(vod.provider.url('/movie/a.mp4'), {
      egress: via(proxy, scheme),
    });
    const response = await fetch(`${vod.playback.base}/stream/${id}`, {
      headers: { Range: 'bytes=10-19' },
    });
    expect(response.status).toBe(206);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(vod.bytes.subarray(10, 20));
    expect(proxy.ports.length).toBeGreaterThan(0);
    const connections = new Set(vod.provider.requests.map(({ socketId }) => socketId));
    expect(connections.size).toBe(proxy.ports.length);
  });
});

describe('a stream whose way out is down', () => {
  it('fails, and asks none of its sources past it', async () => {
    const dead = (await refusedUrl()).replace(/\/[^/]*$/, '');
    const egress = { kind: 'http-connect', url: dead, resolve: 'proxy' } as const;
    await using provider = await startFakeProvider(ROUTES);
    await using hls = await startHls();
    const list = await hls.create(provider.url('/index.m3u8'), { egress });
    expect((await fetch(hls.playlistUrl(list))).status).toBe(502);
    expect(provider.requests).toHaveLength(0);
    await using live = await startLive();
    const failoverUrls = [live.backup];
    const id = await live.playback.create(live.primary, { egress, failoverUrls });
    const viewer = await live.watch(id).started();
    expect(viewer.status).toBe(502);
    expect(live.provider.requests).toHaveLength(0);
    const failed = live.playback.state.events.map(({ fact }) => JSON.stringify(fact));
    expect(failed.some((fact) => fact.includes('ProxyError'))).toBe(true);
  });
});
