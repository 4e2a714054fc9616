import { describe, expect, it } from 'vitest';
import { systemClock, systemTimers } from '#kernel/clock';
import { asStreamId } from '#kernel/ids';
import { SegmentStore } from '#segments';
import { folder, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { media } from '../../scripts/faultd.d/media.ts';

const TYPE = 'application/vnd.apple.mpegurl';

const film = (durations: readonly number[], name: string): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n${durations.map((d, n) => `#EXTINF:${d},\n${name}${n}.ts\n`).join('')}#EXT-X-ENDLIST\n`;

async function bytesOf(url: string): Promise<{ status: number; body: Buffer }> {
  const response = await fetch(url);
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

describe('a film in HLS whose source goes away while it is watched', () => {
  it.each(['ts', 'fmp4', 'aes', 'byterange', 'master'] as const)(
    'goes on from a mirror, link by link: %s',
    async (format) => {
      const { hls } = await media();
      await using primary = await startFakeProvider({ '/film/': folder(hls[format]) });
      await using mirror = await startFakeProvider({ '/other/': folder(hls[format]) });
      // Nothing is kept: every link has to be asked of a source.
      const store = new SegmentStore({ memoryBytes: 0, clock: systemClock, timers: systemTimers });
      await using penstock = await startHls({ hls: { store } });
      const id = await penstock.create(primary.url('/film/index.m3u8'), {
        failoverUrls: [mirror.url('/other/index.m3u8')],
      });
      let url = penstock.playlistUrl(id);
      let playlist = await (await fetch(url)).text();
      if (format === 'master') {
        url = linksIn(playlist, url)[1] ?? '';
        playlist = await (await fetch(url)).text();
      }
      const links = linksIn(playlist, url);
      const whole = await Promise.all(links.map(bytesOf));
      await primary.down();
      const unique = [...new Set(links)];
      if (unique.length === 1) await penstock.registry.failover(asStreamId(id));
      else expect((await bytesOf(unique[0] ?? '')).status).toBe(502);
      for (const link of unique.slice(1)) {
        expect(
          (await bytesOf(link)).body.equals(whole[links.indexOf(link)]?.body ?? Buffer.alloc(0)),
        ).toBe(true);
      }
      expect(mirror.requests.every(({ path }) => path.startsWith('/other/'))).toBe(true);
      expect((await bytesOf(unique[0] ?? '')).status).toBe(200);
    },
  );

  it('does not go on from a film that is cut in another way', async () => {
    await using provider = await startFakeProvider({
      '/a/index.m3u8': text(film([4, 4, 4], 'a'), TYPE),
      '/b/index.m3u8': text(film([4, 3, 5], 'b'), TYPE),
      '/b/b1.ts': text('wrong', 'video/mp2t'),
    });
    await using penstock = await startHls();
    const id = await penstock.create(provider.url('/a/index.m3u8'), {
      failoverUrls: [provider.url('/b/index.m3u8')],
    });
    const url = penstock.playlistUrl(id);
    const links = linksIn(await (await fetch(url)).text(), url);
    const answers = [];
    for (const link of links) answers.push(await bytesOf(link));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(provider.requestsOf('/b/index.m3u8')).not.toHaveLength(0);
    expect(provider.requestsOf('/b/b1.ts')).toHaveLength(0);
  });
});
