import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  answer,
  html200,
  startFakeProvider,
  status,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Routes } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';

const TYPE = 'application/vnd.apple.mpegurl';
const JSON_TYPE = 'application/json';
const media = (...tags: string[]): string =>
  ['#EXTM3U', '#EXT-X-TARGETDURATION:4', ...tags, '#EXTINF:4,', '1.ts', ''].join('\n');

/** A stream of one provider, and the text that its address gives. */
async function start(entry: string, routes: Routes = {}) {
  const provider = await startFakeProvider({ '/live/index.m3u8': text(entry, TYPE), ...routes });
  const penstock = await startHls();
  const id = await penstock.create(provider.url('/live/index.m3u8'));
  const url = penstock.playlistUrl(id);
  const body = await (await fetch(url)).text();
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return {
    provider,
    penstock,
    url,
    body,
    links: linksIn(body, url),
    [Symbol.asyncDispose]: dispose,
  };
}

const lastAsked = (provider: { requests: readonly { url: string }[] }): string | undefined =>
  provider.requests.at(-1)?.url;

describe('interstitials', () => {
  const entry = media(
    '#EXT-X-DATERANGE:ID="a",CLASS="com.apple.hls.interstitial",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="/ads/one.m3u8"',
    '#EXT-X-DATERANGE:ID="b",CLASS="com.apple.hls.interstitial",START-DATE="2026-01-01T00:00:00Z",X-ASSET-LIST="/ads/list.json?b=1"',
  );

  it('come through here, whether a playlist names them or a list', async () => {
    await using ads = await startFakeProvider({
      '/two.m3u8': text(media(), TYPE),
      '/1.ts': text('an ad', 'video/mp2t'),
    });
    await using hls = await start(entry, {
      '/ads/one.m3u8': text(media(), TYPE),
      '/ads/list.json': text(
        JSON.stringify({ ASSETS: [{ URI: ads.url('/two.m3u8'), DURATION: 4.5, 'X-ID': 7 }] }),
        JSON_TYPE,
      ),
    });
    const [one = '', list = ''] = hls.links;
    expect(await (await fetch(one)).text()).toMatch(/^#EXTM3U[^]*segment\.ts/);
    const response = await fetch(`${list}&_HLS_primary_id=${encodeURIComponent('a b&c')}&other=1`);
    expect(response.headers.get('content-type')).toBe(JSON_TYPE);
    const document = await response.text();
    expect(lastAsked(hls.provider)).toBe('/ads/list.json?b=1&_HLS_primary_id=a%20b%26c');
    expect(document).not.toContain(ads.url('/'));
    expect(hls.body).toMatch(/X-ASSET-URI="http:[^"]*&client_id=[^"]*"/);
    const { ASSETS } = JSON.parse(document) as { ASSETS: { URI: string }[] };
    expect(ASSETS).toEqual([
      { URI: expect.stringContaining(`${hls.penstock.base}/hls/`), DURATION: 4.5, 'X-ID': 7 },
    ]);
    const asset = new URL(ASSETS[0]?.URI ?? '', list).href;
    const [segment = ''] = linksIn(await (await fetch(asset)).text(), asset);
    expect(await (await fetch(segment)).text()).toBe('an ad');
    expect(ads.requests.map(({ url }) => url)).toEqual(['/two.m3u8', '/1.ts']);
  });

  it.each([
    ['a page', html200(), 502],
    ['gone', status(410), 410],
    ['an error', status(500), 500],
  ])('cost the stream nothing when their list is %s', async (_name, fault, code) => {
    await using hls = await start(entry, { '/ads/list.json': text('{}', JSON_TYPE) });
    hls.provider.setFault('/ads/list.json', fault);
    for (let n = 0; n < 3; n += 1) expect((await fetch(hls.links[1] ?? '')).status).toBe(code);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });

  it('leave the numbers and the source of the stream alone, whatever becomes of them', async () => {
    await using hls = await start(
      entry.replace('#EXT-X-DATERANGE', '#EXT-X-MEDIA-SEQUENCE:700\n$&'),
      {
        '/ads/one.m3u8': text('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n', TYPE),
        '/ads/v.m3u8': text(`${media()}#EXTINF:4,\n2.ts\n#EXT-X-ENDLIST\n`, TYPE),
      },
    );
    const [one = ''] = hls.links;
    const [variant = ''] = linksIn(await (await fetch(one)).text(), one);
    const ad = await (await fetch(variant)).text();
    expect(ad).not.toContain('MEDIA-SEQUENCE');
    for (const path of ['/ads/1.ts', '/ads/2.ts']) hls.provider.setFault(path, status(500));
    for (const link of linksIn(ad, variant)) expect((await fetch(link)).status).toBe(500);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
    await expect
      .poll(async () => (await fetch(hls.url)).text())
      .toContain('#EXT-X-MEDIA-SEQUENCE:700');
  });

  it('are refused when their list is a playlist', async () => {
    await using hls = await start(entry, { '/ads/list.json': text(media(), TYPE) });
    const response = await fetch(hls.links[1] ?? '');
    expect([response.status, await response.json()]).toEqual([
      502,
      expect.objectContaining({ code: 'UPSTREAM_WRONG_TYPE' }),
    ]);
  });
});

describe('content steering', () => {
  const entry = [
    '#EXTM3U',
    '#EXT-X-CONTENT-STEERING:SERVER-URI="/steer?s=1",PATHWAY-ID="A"',
    '#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID="A",STABLE-VARIANT-ID="v"',
    'v.m3u8?t=1',
    '',
  ].join('\n');

  it('goes on between addresses of ours, clones included', async () => {
    await using other = await startFakeProvider({ '/live/v.m3u8': text(media(), TYPE) });
    const { host } = new URL(other.url('/'));
    const manifest = {
      VERSION: 1,
      TTL: 10,
      'RELOAD-URI': '/steer?s=2',
      'PATHWAY-PRIORITY': ['B', 'A'],
      'PATHWAY-CLONES': [
        { 'BASE-ID': 'A', ID: 'B', 'URI-REPLACEMENT': { HOST: host, PARAMS: { t: '2' } } },
      ],
    };
    await using hls = await start(entry, { '/steer': text(JSON.stringify(manifest), JSON_TYPE) });
    const [server = '', variant = ''] = hls.links;
    const response = await fetch(`${server}&_HLS_pathway=%22A%22&_HLS_throughput=5140000`);
    const steering = (await response.json()) as typeof manifest;
    expect(response.headers.get('content-type')).toBe(JSON_TYPE);
    expect(lastAsked(hls.provider)).toBe('/steer?s=1&_HLS_pathway=%22A%22&_HLS_throughput=5140000');
    expect(JSON.stringify(steering)).not.toContain('127.0.0.1');
    expect(steering).toMatchObject({ TTL: 10, 'PATHWAY-PRIORITY': ['B', 'A'] });
    await fetch(new URL(steering['RELOAD-URI'], server));
    expect(lastAsked(hls.provider)).toBe('/steer?s=2');
    // A player clones by setting the parameters in the variant's address.
    const cloned = new URL(variant);
    const params: Readonly<Record<string, string>> =
      steering['PATHWAY-CLONES'][0]?.['URI-REPLACEMENT'].PARAMS ?? {};
    for (const [name, value] of Object.entries(params)) cloned.searchParams.set(name, value);
    expect((await fetch(cloned)).status).toBe(200);
    expect(other.requests.map(({ url }) => url)).toEqual(['/live/v.m3u8?t=2']);
    expect(lastAsked(hls.provider)).toBe('/steer?s=2');
  });

  it('is refused when it is larger than a document can be', async () => {
    const large = JSON.stringify({ VERSION: 1, PAD: 'x'.repeat(1024 * 1024) });
    await using hls = await start(entry, { '/steer': text(large, JSON_TYPE) });
    expect((await fetch(hls.links[0] ?? '')).status).toBe(502);
  });

  it('ends when its server says so', async () => {
    await using hls = await start(entry, { '/steer': text('', JSON_TYPE) });
    hls.provider.setFault('/steer', status(410));
    expect((await fetch(hls.links[0] ?? '')).status).toBe(410);
  });
});

describe('a playlist where a segment is due', () => {
  const SECRET = 'http://user:pass@secret.example/x.ts';
  const body = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${SECRET}\n`;

  it.each([
    ['called a playlist', text(body, TYPE), {}],
    ['called media', text(body, 'video/mp2t'), {}],
    ['called nothing', text(`\uFEFF\n${body}`, ''), {}],
    ['a list of channels', text(`#EXTM3U\n#EXTINF:-1,One\n${SECRET}\n`, 'text/plain'), {}],
    [
      'compressed',
      text(gzipSync(body), 'video/mp2t', { headers: { 'content-encoding': 'gzip' } }),
      {},
    ],
    ['a range of one', ranged(body), { range: 'bytes=40-' }],
    ['a range of its URLs', ranged(body), { range: 'bytes=60-' }],
  ])('is refused, and shows nothing of itself: %s', async (_name, route, headers) => {
    await using hls = await start(media(), { '/live/1.ts': route });
    const response = await fetch(hls.links[0] ?? '', { headers });
    const said = await response.text();
    expect([response.status, JSON.parse(said)]).toEqual([
      502,
      expect.objectContaining({ code: 'UPSTREAM_WRONG_TYPE' }),
    ]);
    expect(said).not.toContain('secret');
  });

  it('is refused as a key, an init section, and session data too', async () => {
    const entry = media(
      '#EXT-X-KEY:METHOD=AES-128,URI="x"',
      '#EXT-X-MAP:URI="x"',
      '#EXT-X-SESSION-DATA:DATA-ID="d",URI="x"',
    );
    await using hls = await start(entry, { '/live/x': text(body, TYPE) });
    const statuses = await Promise.all(
      hls.links.slice(0, 3).map(async (link) => (await fetch(link)).status),
    );
    expect(statuses).toEqual([502, 502, 502]);
  });

  it('is told from media that is called a playlist', async () => {
    const packets = Buffer.alloc(188 * 10, 'G');
    await using hls = await start(media(), { '/live/1.ts': text(packets, TYPE) });
    const response = await fetch(hls.links[0] ?? '');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'video/mp2t']);
    expect(Buffer.from(await response.arrayBuffer()).equals(packets)).toBe(true);
  });
});

describe('a link that was not made here', () => {
  it('opens nothing, whatever it is', async () => {
    await using hls = await start(media('#EXT-X-DATERANGE:ID="a",X-ASSET-URI="a.m3u8"'));
    const [playlist = '', segment = ''] = hls.links;
    const asked = hls.provider.requests.length;
    const wrong = ['x', '%00', '%FF', 'A'.repeat(9000), 'A'.repeat(60), '..%2F', '{$x}'];
    const urls = wrong.flatMap((token) => [
      playlist.replace(/h=[^&]+/, `h=${token}`),
      segment.replace(/h=[^&]+/, `h=${token}`),
      `${playlist}&via=${token}`,
    ]);
    const swapped = [
      playlist.replace('playlist.m3u8', 'segment.ts'),
      segment.replace('segment.ts', 'playlist.m3u8'),
      `${playlist}&via=${new URL(segment).searchParams.get('h') ?? ''}`,
    ];
    for (const url of [...urls, ...swapped]) {
      const response = await fetch(url);
      expect([response.status, await response.json()]).toEqual([
        403,
        expect.objectContaining({ code: 'HANDLE_INVALID' }),
      ]);
    }
    expect(hls.provider.requests).toHaveLength(asked);
  });
});

describe('a list that is too much', () => {
  it('is refused without a look at what it lists', async () => {
    const entries = `${media()}${'#EXTINF:1,\na\n'.repeat(250_000)}`;
    await using hls = await start(entries);
    expect(JSON.parse(hls.body)).toMatchObject({ code: 'PLAYLIST_TOO_LARGE' });
    expect(hls.provider.requests.every(({ path }) => path === '/live/index.m3u8')).toBe(true);
  });
});

/** Gives the range that is asked for, as a file server would. */
function ranged(body: string) {
  return answer(({ headers }) => {
    const first = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const part = Buffer.from(body).subarray(first);
    const range = `bytes ${first}-${body.length - 1}/${body.length}`;
    return { status: 206, headers: { 'content-type': TYPE, 'content-range': range }, body: part };
  });
}
