import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import {
  answer,
  file,
  gzip,
  html200,
  notHttp,
  resetAfter,
  slowHeaders,
  stallAfter,
  startFakeProvider,
  status,
  text,
  times,
  truncateAfter,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Fault, Route } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import type { HlsBenchOptions } from '../support/hls-bench.ts';
import { RawOrigin, say } from '../support/raw-origin.ts';
import { Viewer } from '../support/viewer.ts';

const TYPE = 'application/vnd.apple.mpegurl';
/** Binary wherever one looks, as media is. */
const SEGMENT = randomBytes(300_000).map((byte, at) => (at % 4 === 0 ? 0 : byte)) as Buffer;
const ETAG = '"v1"';

/** Serves ranges of `body`, as a file server would. */
const ranged = (body: Buffer, headers: Record<string, string> = { etag: ETAG }): Route =>
  answer(({ headers: asked }) => {
    const match = /^bytes=(\d+)-(\d*)$/.exec(asked.range ?? '');
    if (!match)
      return {
        headers: {
          ...headers,
          'content-type': 'video/mp2t',
          'content-length': String(body.length),
        },
        body,
      };
    const [first, last] = [Number(match[1]), match[2] ? Number(match[2]) : body.length - 1];
    if (first >= body.length)
      return { status: 416, headers: { 'content-range': `bytes */${body.length}` } };
    const part = body.subarray(first, last + 1);
    const range = `bytes ${first}-${first + part.length - 1}/${body.length}`;
    return {
      status: 206,
      headers: { ...headers, 'content-range': range, 'content-length': String(part.length) },
      body: part,
    };
  });

const LIST = `#EXTM3U
#EXT-X-TARGETDURATION:1
#EXT-X-KEY:METHOD=AES-128,URI="key.bin"
#EXT-X-MAP:URI="init.mp4"
#EXTINF:1,
1.ts
#EXTINF:1,
2.ts
#EXTINF:1,
3.ts
`;

async function start(options: HlsBenchOptions = {}) {
  const provider = await startFakeProvider({
    '/a/index.m3u8': text(LIST, TYPE),
    '/b/index.m3u8': text(LIST, TYPE),
    '/a/1.ts': ranged(SEGMENT),
    '/a/2.ts': ranged(SEGMENT),
    '/a/key.bin': text('penstock-aes-key', 'text/plain'),
    '/a/init.mp4': text('init', 'application/octet-stream', {
      headers: { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' },
    }),
  });
  const penstock = await startHls({ headersMs: 500, ...options });
  const backup = provider.url('/b/index.m3u8');
  const id = await penstock.create(provider.url('/a/index.m3u8'), { failoverUrls: [backup] });
  const url = penstock.playlistUrl(id);
  const [key = '', map = '', first = '', second = '', third = ''] = linksIn(
    await (await fetch(url)).text(),
    url,
  );
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  const told = (type: string): number => penstock.state.told.filter((one) => one === type).length;
  return {
    provider,
    penstock,
    id,
    url,
    key,
    map,
    first,
    second,
    third,
    told,
    [Symbol.asyncDispose]: dispose,
  };
}

describe('a segment', () => {
  it('comes whole, with what its source says of it', async () => {
    await using hls = await start();
    await using viewer = new Viewer(hls.first);
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.status).toBe(200);
    expect(viewer.body().equals(SEGMENT)).toBe(true);
    expect(viewer.headers).toMatchObject({
      'content-type': 'video/mp2t',
      'content-length': String(SEGMENT.length),
      etag: ETAG,
      'cache-control': 'private, max-age=1',
      'x-stream-id': hls.id,
    });
  });

  it('is never stored when it is a key', async () => {
    await using hls = await start();
    const response = await fetch(hls.key);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('penstock-aes-key');
    const map = await fetch(hls.map);
    expect(map.headers.get('last-modified')).toBe('Thu, 01 Jan 2026 00:00:00 GMT');
  });

  it.each([
    ['bytes=0-99', 206, 100, 'bytes 0-99/300000'],
    ['bytes=299990-', 206, 10, 'bytes 299990-299999/300000'],
    ['bytes=300000-', 416, 0, 'bytes */300000'],
  ])('honours the range %s', async (range, code, length, contentRange) => {
    await using hls = await start();
    const response = await fetch(hls.first, { headers: { Range: range, 'If-Range': ETAG } });
    const bytes = await response.arrayBuffer();
    expect([response.status, bytes.byteLength, response.headers.get('content-range')]).toEqual([
      code,
      length,
      contentRange,
    ]);
    expect(hls.provider.requests.at(-1)?.headers).toMatchObject({ range });
  });

  it.each([403, 404, 410, 429, 500, 503])(
    'passes an error of its source on as it is: %d',
    async (code) => {
      await using hls = await start();
      hls.provider.setFault(
        '/a/1.ts',
        status(code, { 'retry-after': '7', 'content-type': 'text/html' }),
      );
      const response = await fetch(hls.first);
      expect([response.status, await response.text(), response.headers.get('retry-after')]).toEqual(
        [code, '', '7'],
      );
    },
  );

  it.each([
    ['a page', html200(), 502, 'UPSTREAM_WRONG_TYPE'],
    ['slow headers', slowHeaders(3000), 504, 'UPSTREAM_TIMEOUT'],
    ['no HTTP', notHttp(), 502, 'UPSTREAM_PROTOCOL'],
  ])('is an error when its source gives something else: %s', async (_name, fault, code, word) => {
    await using hls = await start();
    hls.provider.setFault('/a/1.ts', fault);
    const response = await fetch(hls.first);
    expect([response.status, await response.json()]).toEqual([
      code,
      expect.objectContaining({ code: word }),
    ]);
  });

  it.each(['video/mp2t', 'application/octet-stream', 'text/plain'])(
    'is an error when it is a page that is called %s',
    async (type) => {
      await using hls = await start();
      hls.provider.setRoute('/a/1.ts', text('\n<!DOCTYPE html><html><p>expired', type));
      expect((await fetch(hls.first)).status).toBe(502);
    },
  );

  it('is an error when it is empty, also for the health of its source', async () => {
    await using hls = await start();
    for (const path of ['/a/1.ts', '/a/init.mp4'])
      hls.provider.setRoute(path, text('', 'video/mp2t'));
    expect((await fetch(hls.first)).status).toBe(502);
    expect(hls.penstock.hls.statsOf(asStreamId(hls.id))?.health).toBe('doubtful');
    expect((await fetch(hls.map)).status).toBe(502);
  });

  it('is an error when a key has not the length of a key', async () => {
    await using hls = await start();
    hls.provider.setRoute('/a/key.bin', text('expired', 'application/octet-stream'));
    expect((await fetch(hls.key)).status).toBe(502);
  });

  it('is asked for a second time when the connection fails', async () => {
    await using hls = await start();
    hls.provider.setFault('/a/1.ts', times(1, notHttp()));
    expect((await fetch(hls.first)).status).toBe(200);
    expect(hls.provider.requestsOf('/a/1.ts')).toHaveLength(2);
  });

  it('keeps the type of media that its source calls a page', async () => {
    await using hls = await start();
    hls.provider.setRoute('/a/1.ts', text(SEGMENT, 'text/html'));
    const response = await fetch(hls.first);
    expect(response.headers.get('content-type')).toBe('video/mp2t');
    expect(Buffer.from(await response.arrayBuffer()).equals(SEGMENT)).toBe(true);
  });

  const breaks: readonly (readonly [string, Fault])[] = [
    ['truncated', truncateAfter(100_000)],
    ['reset', resetAfter(100_000)],
    ['reset behind the head', resetAfter(0)],
    ['stalled', stallAfter(100_000)],
  ];

  it.each(breaks)('goes on at the very next byte when it is %s', async (_name, fault) => {
    await using hls = await start({ headersMs: 2500 });
    hls.provider.setFault('/a/1.ts', times(1, fault));
    await using viewer = new Viewer(hls.first);
    expect(await viewer.ended(8000)).toBe('clean');
    expect(viewer.body().equals(SEGMENT)).toBe(true);
    expect(hls.provider.requestsOf('/a/1.ts')).toHaveLength(2);
  });

  it.each([
    ['truncated', truncateAfter(50_000)],
    ['reset', resetAfter(50_000)],
    ['stalled', stallAfter(50_000)],
  ])('breaks off visibly when it is %s again and again', async (_name, fault) => {
    await using hls = await start({ headersMs: 2500 });
    hls.provider.setFault('/a/1.ts', fault);
    await using viewer = new Viewer(hls.first);
    expect(await viewer.ended(10_000)).toBe('broken');
    expect(viewer.body().equals(SEGMENT.subarray(0, viewer.bytes))).toBe(true);
  });

  it('breaks off visibly when nobody said how long it is', async () => {
    const head =
      'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nTransfer-Encoding: chunked\r\n\r\n';
    await using origin = await RawOrigin.start(say(`${head}5\r\nGGGGG\r\n`));
    await using hls = await start({ headersMs: 2500 });
    const list = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${origin.url('/1.ts')}\n`;
    hls.provider.setRoute('/c.m3u8', text(list, TYPE));
    const id = await hls.penstock.create(hls.provider.url('/c.m3u8'));
    const url = hls.penstock.playlistUrl(id);
    const [link = ''] = linksIn(await (await fetch(url)).text(), url);
    await using viewer = new Viewer(link);
    // An end of chunks would make a part look like the whole.
    expect(await viewer.ended(10_000)).toBe('broken');
    expect(viewer.body().toString()).toBe('GGGGG');
    expect(origin.requests).toHaveLength(3);
  });

  it('is an error when not one byte of it comes', async () => {
    await using hls = await start();
    hls.provider.setFault('/a/1.ts', resetAfter(0));
    expect((await fetch(hls.first)).status).toBe(502);
  });

  it('goes on when what is left comes only with all the rest, if that is the same', async () => {
    await using hls = await start();
    hls.provider.setRoute('/a/1.ts', text(SEGMENT, 'video/mp2t'));
    hls.provider.setFault('/a/1.ts', times(1, truncateAfter(100_000)));
    await using viewer = new Viewer(hls.first);
    expect(await viewer.ended()).toBe('clean');
    expect(viewer.body().equals(SEGMENT)).toBe(true);
  });

  it.each([
    ['has changed', ranged(SEGMENT, { etag: '"v2"' })],
    ['has other bytes', text(randomBytes(300_000), 'video/mp2t')],
    ['is of another size', ranged(SEGMENT.subarray(0, 200_000))],
  ])('breaks off visibly when what is left %s', async (_name, route) => {
    await using hls = await start();
    hls.provider.setFault('/a/1.ts', times(1, truncateAfter(100_000)));
    await using viewer = new Viewer(hls.first);
    await hls.provider.until(() => hls.provider.requestsOf('/a/1.ts').length === 1);
    hls.provider.setRoute('/a/1.ts', route);
    expect(await viewer.ended()).toBe('broken');
    expect(viewer.bytes).toBe(100_000);
  });

  it('goes through compressed when its source insists', async () => {
    await using hls = await start();
    hls.provider.setRoute('/a/1.ts', text(SEGMENT, 'video/mp2t'));
    hls.provider.setFault('/a/1.ts', gzip());
    const response = await fetch(hls.first);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(Buffer.from(await response.arrayBuffer()).equals(SEGMENT)).toBe(true);
  });

  it('closes its upstream at once when the viewer leaves, before and after the first byte', async () => {
    await using hls = await start({ headersMs: 5000 });
    for (const fault of [slowHeaders(5000), stallAfter(1000)]) {
      hls.provider.setFault('/a/1.ts', fault);
      const viewer = new Viewer(hls.first);
      await hls.provider.until(() => hls.provider.open('/a/1.ts') === 1);
      viewer.leave();
      await hls.provider.until(() => hls.provider.open('/a/1.ts') === 0, 1000);
    }
    expect(hls.told('failover_triggered')).toBe(0);
  });

  it('ends at once when its viewer is kicked', async () => {
    await using hls = await start({ headersMs: 5000 });
    hls.provider.setFault('/a/1.ts', stallAfter(1000));
    await using viewer = new Viewer(hls.first);
    await viewer.more(1000);
    const [{ clientId } = { clientId: undefined }] = hls.penstock.registry.viewers(
      asStreamId(hls.id),
    );
    if (clientId) await hls.penstock.registry.kick(clientId);
    expect(await viewer.ended(1000)).toBe('broken');
    await hls.provider.until(() => hls.provider.open('/a/1.ts') === 0, 1000);
  });

  it('keeps its viewer while it is slow, and its memory small', async () => {
    await using hls = await start({ hls: { viewerIdleMs: 200 }, headersMs: 5000 });
    const folder = await mkdtemp(join(tmpdir(), 'penstock-hls-'));
    await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
    await writeFile(join(folder, 'big.ts'), Buffer.alloc(64 * 1024 * 1024, 'G'));
    hls.provider.setRoute('/a/1.ts', file(join(folder, 'big.ts')));
    await using viewer = await new Viewer(hls.first).started();
    viewer.pause();
    await new Promise((resolve) => setTimeout(resolve, 3500));
    expect(hls.provider.requestsOf('/a/1.ts')[0]?.sentBytes).toBeLessThan(32 * 1024 * 1024);
    expect(hls.penstock.registry.viewers(asStreamId(hls.id))).toHaveLength(1);
  });
});

describe('segments that fail', () => {
  it.each([
    ['errors', status(500)],
    ['pages', html200()],
    ['connections that break', resetAfter(10)],
    ['missing, though listed', status(404)],
  ])('move the stream on when they are two in a row: %s', async (_name, fault) => {
    await using hls = await start();
    hls.provider.setFault('/a/1.ts', fault);
    hls.provider.setFault('/a/2.ts', fault);
    await new Viewer(hls.first).ended();
    await new Viewer(hls.first).ended();
    expect(hls.told('failover_triggered')).toBe(0);
    await new Viewer(hls.second).ended();
    // The switch has happened when the other source's playlist is there.
    await (await fetch(`${hls.url}?client_id=new`)).text();
    await expect.poll(() => hls.told('failover_triggered')).toBe(1);
    const switched = hls.penstock.state.events.find(
      ({ fact }) => fact.type === 'failover_triggered',
    );
    expect(switched?.fact).toMatchObject({ reason: 'segment_fetch_error' });
    expect(hls.provider.requestsOf('/b/index.m3u8')).toHaveLength(1);
  });

  it('leave it where it is when one between them is good', async () => {
    await using hls = await start();
    hls.provider.setFault('/a/1.ts', status(500));
    hls.provider.setFault('/a/3.ts', status(500));
    for (const link of [hls.first, hls.second, hls.third]) await new Viewer(link).ended();
    expect(hls.told('failover_triggered')).toBe(0);
  });

  it.each([
    ['are gaps', 'x.m3u8', '#EXT-X-GAP\n#EXTINF:1,\n1.ts\n#EXT-X-GAP\n#EXTINF:1,\n2.ts\n'],
    [
      'are announced, and have yet to come',
      'x.m3u8',
      '#EXTINF:1,\n4.ts\n#EXT-X-PREFETCH:1.ts\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="2.ts"\n',
    ],
    ['are words', 's.m3u8', '#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n'],
  ])('leave it where it is when they %s', async (_name, at, listed) => {
    await using hls = await start();
    const words = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="s.m3u8"';
    const variant = '#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s"\nx.m3u8';
    hls.provider.setRoute('/c/index.m3u8', text(`#EXTM3U\n${words}\n${variant}\n`, TYPE));
    const list = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${listed}`;
    hls.provider.setRoute(`/c/${at}`, text(list, TYPE));
    for (const path of ['/c/1.ts', '/c/2.ts']) hls.provider.setFault(path, status(404));
    const failoverUrls = [hls.provider.url('/b/index.m3u8')];
    const id = await hls.penstock.create(hls.provider.url('/c/index.m3u8'), { failoverUrls });
    const url = hls.penstock.playlistUrl(id);
    const read = async (link: string) => linksIn(await (await fetch(link)).text(), url);
    const [subtitles = '', pictures = ''] = await read(url);
    const links = await read(at === 's.m3u8' ? subtitles : pictures);
    for (const link of links.slice(-2)) expect((await fetch(link)).status).toBe(404);
    await read(`${url}?client_id=new`);
    expect(hls.told('failover_triggered')).toBe(0);
    expect(hls.provider.requestsOf('/b/index.m3u8')).toHaveLength(0);
  });

  it('leave it where it is when they are no segments, or nothing lies where a player asks', async () => {
    await using hls = await start();
    const data =
      '#EXT-X-SESSION-DATA:DATA-ID="a",URI="/x"\n#EXT-X-SESSION-DATA:DATA-ID="b",URI="/y"\n';
    hls.provider.setRoute('/c/index.m3u8', text(LIST.replace('#EXTINF', `${data}#EXTINF`), TYPE));
    for (const path of ['/x', '/y']) hls.provider.setFault(path, status(500));
    const failoverUrls = [hls.provider.url('/b/index.m3u8')];
    const id = await hls.penstock.create(hls.provider.url('/c/index.m3u8'), { failoverUrls });
    const url = hls.penstock.playlistUrl(id);
    const links = linksIn(await (await fetch(url)).text(), url);
    for (const link of links.slice(2, 4)) expect((await fetch(link)).status).toBe(500);
    for (const name of ['1.ts', '2.ts']) hls.provider.setFault(`/c/${name}`, status(416));
    const headers = { range: 'bytes=999999-' };
    for (const link of links.slice(4, 6)) expect((await fetch(link, { headers })).status).toBe(416);
    expect(hls.penstock.hls.statsOf(asStreamId(id))?.health).toBe('good');
    await fetch(`${url}?client_id=new`);
    expect(hls.provider.requestsOf('/b/index.m3u8')).toHaveLength(0);
  });

  it('leave it where it is when they are no longer listed', async () => {
    await using hls = await start();
    hls.provider.setRoute(
      '/a/index.m3u8',
      text(LIST.replace(/#EXTINF[^]*3\.ts\n/, '#EXT-X-MEDIA-SEQUENCE:3\n#EXTINF:1,\n4.ts\n'), TYPE),
    );
    await expect
      .poll(async () => linksIn(await (await fetch(hls.url)).text(), hls.url).length, {
        timeout: 3_000,
      })
      .toBe(3);
    for (const path of ['/a/1.ts', '/a/2.ts', '/a/3.ts']) hls.provider.setFault(path, status(404));
    for (const link of [hls.first, hls.second, hls.third]) await new Viewer(link).ended();
    expect(hls.told('failover_triggered')).toBe(0);
  });
});
