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

const live = (first: number, count: number, name: string): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${first}\n${Array.from({ length: count }, (_, n) => `#EXTINF:1,\n${name}${first + n}.ts\n`).join('')}`;

const variants = (...all: readonly (readonly [number, string])[]): string =>
  `#EXTM3U\n${all.map(([bandwidth, uri]) => `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth}\n${uri}\n`).join('')}`;

const status404 = answer(() => ({ status: 404 }));

/** Every segment can be had; its body says which it is. */
const segments = answer(({ path }) => ({ body: path, headers: { 'content-type': 'video/mp2t' } }));

async function start(routes: Routes, options: HlsBenchOptions = {}) {
  const provider = await startFakeProvider({ '/': segments, ...routes });
  const penstock = await startHls(options);
  const id = await penstock.create(provider.url('/a/index.m3u8'), {
    failoverUrls: [provider.url('/b/index.m3u8')],
  });
  const url = penstock.playlistUrl(id);
  const get = async (at = url): Promise<string> => (await fetch(at)).text();
  /** What the segments of a playlist turn out to be. */
  const contents = async (playlist: string): Promise<string[]> => {
    const links = linksIn(playlist, url).filter((link) => link.includes('segment.ts'));
    return Promise.all(links.map((link) => get(link)));
  };
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { provider, penstock, id, url, get, contents, [Symbol.asyncDispose]: dispose };
}

const lineOf = (playlist: string, tag: string): string | undefined =>
  playlist.split('\n').find((line) => line.startsWith(`#${tag}`));

const soundLine = (language: string, uri: string): string =>
  `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="${language}",LANGUAGE="${language}",URI="${uri}"\n`;
const variantLine = (size: string, bandwidth: number, uri: string): string =>
  `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=${size},AUDIO="s"\n${uri}\n`;
const [hd, sd] = ['1920x1080', '1280x720'] as const;

describe('HLS failover', () => {
  it('numbers the segments of the backup on from the last that were shown', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(live(100, 4, 'a'), TYPE),
      '/b/index.m3u8': text(live(3, 4, 'b'), TYPE),
    });
    expect(await hls.contents(await hls.get())).toEqual([
      '/a/a100.ts',
      '/a/a101.ts',
      '/a/a102.ts',
      '/a/a103.ts',
    ]);
    hls.provider.setFault('/a/index.m3u8', status(404));
    hls.provider.setRoute('/a/index.m3u8', text('gone', 'text/plain'));
    await expect
      .poll(async () => hls.contents(await hls.get()), { timeout: 5_000 })
      .toContain('/b/b6.ts');
    const playlist = await hls.get();
    const listed = await hls.contents(playlist);
    expect(lineOf(playlist, 'EXT-X-MEDIA-SEQUENCE')).toBe(
      `#EXT-X-MEDIA-SEQUENCE:${105 - listed.length}`,
    );
    expect(lineOf(playlist, 'EXT-X-DISCONTINUITY-SEQUENCE')).toBe(
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
    );
    expect(playlist.match(/^#EXT-X-DISCONTINUITY$/gm)).toHaveLength(1);
    hls.provider.setRoute('/b/index.m3u8', text(live(8, 4, 'b'), TYPE));
    await expect
      .poll(async () => lineOf(await hls.get(), 'EXT-X-DISCONTINUITY-SEQUENCE'), { timeout: 5_000 })
      .toBe('#EXT-X-DISCONTINUITY-SEQUENCE:1');
  });

  it('goes on listing what is kept of the last source, each segment for its time', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(live(100, 4, 'a'), TYPE),
      '/b/index.m3u8': text(live(3, 4, 'b'), TYPE),
    });
    const before = await hls.get();
    const links = linksIn(before, hls.url);
    // The second is not kept: nobody has asked for it.
    await Promise.all([0, 2, 3].map((index) => hls.get(links[index])));
    await hls.penstock.registry.failover(asStreamId(hls.id));
    hls.provider.setFault('/a/', status(404));
    const after = await hls.get();
    expect(linksIn(after, hls.url).slice(0, 2)).toEqual(links.slice(2));
    expect(await hls.contents(after)).toEqual(['/a/a102.ts', '/a/a103.ts', '/b/b6.ts']);
    expect(lineOf(after, 'EXT-X-MEDIA-SEQUENCE')).toBe('#EXT-X-MEDIA-SEQUENCE:102');
    expect(after).toMatch(/#EXT-X-DISCONTINUITY\n#EXTINF:1,\n.*\n$/);
    await expect
      .poll(async () => hls.contents(await hls.get()), { timeout: 8_000 })
      .toEqual(['/b/b6.ts']);
    expect(lineOf(await hls.get(), 'EXT-X-MEDIA-SEQUENCE')).toBe('#EXT-X-MEDIA-SEQUENCE:104');
  });

  it('gives a viewer of one variant the nearest of the backup', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(variants([6_000_000, 'high.m3u8'], [1_000_000, 'low.m3u8']), TYPE),
      '/a/high.m3u8': text(live(1, 1, 'a-high'), TYPE),
      '/a/low.m3u8': text(live(1, 1, 'a-low'), TYPE),
      '/b/index.m3u8': text(variants([900_000, 'sd.m3u8'], [5_000_000, 'hd.m3u8']), TYPE),
      '/b/sd.m3u8': text(live(1, 2, 'b-sd'), TYPE),
      '/b/hd.m3u8': text(live(1, 2, 'b-hd'), TYPE),
    });
    const [high = '', low = ''] = linksIn(await hls.get(), hls.url);
    expect(await hls.contents(await hls.get(high))).toEqual(['/a/a-high1.ts']);
    await hls.penstock.registry.failover(asStreamId(hls.id));
    expect(await hls.contents(await hls.get(high))).toEqual(['/a/a-high1.ts', '/b/b-hd2.ts']);
    expect(await hls.contents(await hls.get(low))).toContain('/b/b-sd2.ts');
  });

  it('keeps the size of the picture and the language, and the numbers of each viewer’s list', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(
        `#EXTM3U\n${soundLine('de', 'de.m3u8')}${variantLine(hd, 3_000_000, 'hd.m3u8')}`,
        TYPE,
      ),
      '/a/hd.m3u8': text(live(900, 2, 'a-hd'), TYPE),
      '/a/de.m3u8': text(live(900, 2, 'a-de'), TYPE),
      '/b/index.m3u8': text(
        `#EXTM3U\n${soundLine('en', 'en.m3u8')}${soundLine('de', 'de.m3u8')}` +
          variantLine(sd, 3_000_000, 'sd.m3u8') +
          variantLine(hd, 6_000_000, 'hd.m3u8'),
        TYPE,
      ),
      '/b/sd.m3u8': text(live(5, 4, 'b-sd'), TYPE),
      '/b/hd.m3u8': text(live(5, 4, 'b-hd'), TYPE),
      '/b/en.m3u8': text(live(5, 4, 'b-en'), TYPE),
      '/b/de.m3u8': text(live(5, 4, 'b-de'), TYPE),
    });
    const [german = '', high = ''] = linksIn(await hls.get(), hls.url);
    await Promise.all([german, high].map((link) => hls.get(link)));
    await hls.penstock.registry.failover(asStreamId(hls.id));
    expect(await hls.contents(await hls.get(high))).toContain('/b/b-hd8.ts');
    expect(await hls.contents(await hls.get(german))).toContain('/b/b-de8.ts');
    // Who comes now is told of the backup's variants, of which another one stands first.
    const [, , low = ''] = linksIn(await hls.get(`${hls.url}?client_id=new`), hls.url);
    expect(await hls.contents(await hls.get(low))).toContain('/b/b-sd8.ts');
    const numbers = [high, low, high].map(async (link) =>
      lineOf(await hls.get(link), 'EXT-X-MEDIA-SEQUENCE'),
    );
    expect(await Promise.all(numbers)).toEqual([
      '#EXT-X-MEDIA-SEQUENCE:902',
      '#EXT-X-MEDIA-SEQUENCE:5',
      '#EXT-X-MEDIA-SEQUENCE:902',
    ]);
  });

  it('gives sound that came apart from a backup that has it inside, and stays there', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",URI="s.m3u8"\n' +
          '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="s"\nv.m3u8\n',
        TYPE,
      ),
      '/a/s.m3u8': text(live(1, 1, 'a-s'), TYPE),
      '/a/v.m3u8': text(live(1, 1, 'a-v'), TYPE),
      '/b/index.m3u8': text(variants([2, 'v.m3u8']), TYPE),
      '/b/v.m3u8': text(live(1, 2, 'b'), TYPE),
    });
    const [sound = '', pictures = ''] = linksIn(await hls.get(), hls.url);
    await Promise.all([sound, pictures].map((link) => hls.get(link)));
    await hls.penstock.registry.failover(asStreamId(hls.id));
    for (const link of [sound, pictures, sound]) {
      expect(await hls.contents(await hls.get(link))).toContain('/b/b2.ts');
    }
    const told = hls.penstock.state.told.filter((type) => type === 'failover_triggered');
    expect(told).toHaveLength(1);
  });

  it('gives pictures alone where the backup’s sound is apart, until the player begins anew', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(variants([1, 'v.m3u8']), TYPE),
      '/a/v.m3u8': text(live(1, 1, 'a'), TYPE),
      '/b/index.m3u8': text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",URI="s.m3u8"\n' +
          '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="s"\nv.m3u8\n',
        TYPE,
      ),
      '/b/s.m3u8': text(live(1, 2, 'b-s'), TYPE),
      '/b/v.m3u8': text(live(1, 2, 'b-v'), TYPE),
    });
    const [variant = ''] = linksIn(await hls.get(), hls.url);
    await hls.get(variant);
    await hls.penstock.registry.failover(asStreamId(hls.id));
    expect(await hls.contents(await hls.get(variant))).toEqual(['/b/b-v2.ts']);
    const [sound = ''] = linksIn(await hls.get(), hls.url);
    expect(await hls.contents(await hls.get(sound))).toContain('/b/b-s2.ts');
  });

  it('gives a viewer of a variant the backup’s only playlist', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(variants([1, 'v.m3u8']), TYPE),
      '/a/v.m3u8': text(live(1, 1, 'a'), TYPE),
      '/b/index.m3u8': text(live(1, 1, 'b'), TYPE),
    });
    const [variant = ''] = linksIn(await hls.get(), hls.url);
    hls.provider.setFault('/a/v.m3u8', status(500));
    expect(await hls.contents(await hls.get(variant))).toEqual(['/b/b1.ts']);
  });

  it('goes on giving a media playlist to a viewer that polls the stream’s own address', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(live(1, 1, 'a'), TYPE),
      '/b/index.m3u8': text(variants([1, 'v.m3u8']), TYPE),
      '/b/v.m3u8': text(live(1, 2, 'b'), TYPE),
    });
    await hls.get();
    await hls.penstock.registry.failover(asStreamId(hls.id));
    expect(await hls.contents(await hls.get())).toEqual(['/b/b2.ts']);
    expect(lineOf(await hls.get(`${hls.url}?client_id=new`), 'EXT-X-STREAM-INF')).toBeDefined();
  });

  it('asks the source’s own address for a new token when a playlist is refused', async () => {
    let token = 1;
    await using hls = await start({
      '/a/index.m3u8': answer(() => ({ body: variants([1, `v.m3u8?t=${token}`]) })),
      '/a/v.m3u8': answer(({ url }) =>
        url.endsWith(`t=${token}`) ? { body: live(1, 1, 'a') } : { status: 403 },
      ),
    });
    const [variant = ''] = linksIn(await hls.get(), hls.url);
    token = 2;
    expect(await hls.contents(await hls.get(variant))).toEqual(['/a/a1.ts']);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });

  it('does not leave its source over a playlist that nobody needs for the picture', async () => {
    await using hls = await start({
      '/a/index.m3u8': text(
        `${variants([1, 'v.m3u8'])}#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="s.m3u8"\n`,
        TYPE,
      ),
    });
    hls.provider.setFault('/a/s.m3u8', status(404));
    const [, subtitles = ''] = linksIn(await hls.get(), hls.url);
    expect((await fetch(subtitles)).status).toBe(502);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });

  it('tells the player at once that a variant cannot be had where there is no other source', async () => {
    const gone = variants([2, 'v/live.m3u8'], [1, 'v/gone.m3u8'], [3, 'http://169.254.1.1/x.m3u8']);
    await using hls = await start({
      '/a/index.m3u8': text(gone, TYPE),
      '/a/v/live.m3u8': text(live(1, 4, 'a'), TYPE),
      '/a/v/gone.m3u8': status404,
    });
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8?alone'));
    const url = hls.penstock.playlistUrl(id);
    const answers = await Promise.all(
      linksIn(await hls.get(url), url).map(async (link) => {
        const response = await fetch(link);
        return [response.status, response.headers.get('x-proxy-error')];
      }),
    );
    expect(answers).toEqual([
      [200, null],
      [502, 'UPSTREAM_STATUS'],
      [422, 'UPSTREAM_TARGET_FORBIDDEN'],
    ]);
    // Once more by way of the source's own address, which may have a new token.
    expect(hls.provider.requestsOf('/a/v/gone.m3u8')).toHaveLength(1);
    expect(hls.penstock.state.told).not.toContain('stream_failed');
  });

  it('leaves a source whose playlist stands still, and keeps it when there is no other', async () => {
    const clock = { nowMs: () => Date.now(), monotonicMs: () => nowMs };
    let nowMs = 0;
    const still = {
      '/a/index.m3u8': text(live(1, 3, 'a'), TYPE),
      '/b/index.m3u8': text(live(1, 3, 'b'), TYPE),
    };
    await using hls = await start(still, { hls: { clock } });
    const alone = await hls.penstock.create(hls.provider.url('/a/index.m3u8?alone'));
    await Promise.all([hls.get(), hls.get(hls.penstock.playlistUrl(alone))]);
    nowMs = 7_000;
    expect(await hls.contents(await hls.get())).toEqual(['/b/b1.ts', '/b/b2.ts', '/b/b3.ts']);
    const kept = await fetch(hls.penstock.playlistUrl(alone));
    expect(kept.status).toBe(200);
  });

  it('stays with a source whose subtitles stand still', async () => {
    const clock = { nowMs: () => Date.now(), monotonicMs: () => nowMs };
    let nowMs = 0;
    const words = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="s.m3u8"\n';
    const list = text(`${variants([1, 'v.m3u8'])}${words}`, TYPE);
    const still = text(live(1, 3, 's'), TYPE);
    const routes = { '/a/index.m3u8': list, '/b/index.m3u8': list, '/a/s.m3u8': still };
    await using hls = await start(routes, { hls: { clock } });
    const [, subtitles = ''] = linksIn(await hls.get(), hls.url);
    await hls.get(subtitles);
    nowMs = 7_000;
    expect(await hls.contents(await hls.get(subtitles))).toContain('/a/s1.ts');
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });

  it('follows a redirect that changes from poll to poll', async () => {
    await using hls = await start({
      '/a/index.m3u8': redirect('/edge1/index.m3u8'),
      '/edge1/index.m3u8': text(live(1, 1, 'x'), TYPE),
      '/edge2/index.m3u8': text(live(2, 1, 'x'), TYPE),
    });
    expect(await hls.contents(await hls.get())).toEqual(['/edge1/x1.ts']);
    hls.provider.setRoute('/a/index.m3u8', redirect('/edge2/index.m3u8'));
    await expect
      .poll(async () => hls.contents(await hls.get()), { timeout: 5_000 })
      .toEqual(['/edge2/x2.ts']);
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });
});
