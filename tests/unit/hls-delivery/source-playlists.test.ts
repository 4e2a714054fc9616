import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import { parsePlaylist } from '#hls';
import type { Source } from '#streams';
import type { PlaylistExchange } from '../../../services/delivery/hls/playlists/fetch-playlist.ts';
import { SourcePlaylists } from '../../../services/delivery/hls/playlists/source-playlists.ts';

const TEXT = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n';
const SOURCE: Source = {
  url: 'http://entry/a.m3u8',
  index: -1,
  headers: { 'User-Agent': 'x', Authorization: 'Basic secret' },
};

function start({ isSticky = true } = {}) {
  const asked: PlaylistExchange[] = [];
  const broken = new Set<string>();
  let edge = 1;
  const sources = new SourcePlaylists({
    isSticky: () => isSticky,
    targetDurationMs: () => 2_000,
    client: async (exchange) => {
      asked.push(exchange);
      const { url } = exchange;
      if (broken.has(url)) throw new UpstreamError('UPSTREAM_REFUSED', { message: '' });
      const isSentOn = url.startsWith('http://entry') && edge > 0;
      const finalUrl = isSentOn ? `http://edge${edge}/a.m3u8?token=t` : url;
      return { text: TEXT, encoding: 'utf8', finalUrl, facts: parsePlaylist(TEXT), validators: {} };
    },
  });
  const signal = new AbortController().signal;
  const fetch = (url = SOURCE.url): Promise<unknown> => sources.fetch(SOURCE, url, signal);
  const urls = (): string[] => asked.map(({ url }) => url);
  return { asked, broken, sources, fetch, urls, moveTo: (to: number) => void (edge = to) };
}

describe('SourcePlaylists', () => {
  it('keeps to where a redirect led, without the secrets of the source', async () => {
    const { fetch, urls, asked, moveTo } = start();
    await fetch();
    moveTo(2);
    await fetch();
    expect(urls()).toEqual(['http://entry/a.m3u8', 'http://edge1/a.m3u8?token=t']);
    expect(Object.keys(asked[1]?.headers ?? {})).toEqual(['User-Agent']);
  });

  it('lets go of it when it fails there, within the same request', async () => {
    const { fetch, urls, broken, moveTo } = start();
    await fetch();
    broken.add('http://edge1/a.m3u8?token=t');
    moveTo(2);
    await fetch();
    await fetch();
    expect(urls().slice(1)).toEqual([
      'http://edge1/a.m3u8?token=t',
      'http://entry/a.m3u8',
      'http://edge2/a.m3u8?token=t',
    ]);
  });

  it('does not come back to it where nobody is sent any more', async () => {
    const { fetch, urls, broken, moveTo } = start();
    await fetch();
    broken.add('http://edge1/a.m3u8?token=t');
    moveTo(0);
    await fetch();
    await fetch();
    expect(urls().slice(2)).toEqual(['http://entry/a.m3u8', 'http://entry/a.m3u8']);
  });

  it('asks the source’s own address each time where the stream does not want it', async () => {
    const { fetch, urls } = start({ isSticky: false });
    await fetch();
    await fetch();
    expect(new Set(urls())).toEqual(new Set(['http://entry/a.m3u8']));
  });

  it('lets go when it is told to', async () => {
    const { fetch, urls, sources } = start();
    await fetch();
    sources.unpin(SOURCE);
    await fetch();
    expect(urls()[1]).toBe('http://entry/a.m3u8');
  });

  it('sends no secrets to where only a redirect has led', async () => {
    const { fetch, sources } = start();
    const sentTo = (url: string): string[] => Object.keys(sources.at(SOURCE, url).headers);
    expect(sentTo('http://edge1/1.ts')).toContain('Authorization');
    await fetch();
    expect(sentTo('http://edge1/1.ts')).toEqual(['User-Agent']);
    for (const url of ['http://entry/key', 'http://cdn/1.ts']) {
      expect(sentTo(url)).toContain('Authorization');
    }
  });

  it('takes blocking reloads to the same place, and gives them three target durations', async () => {
    const { fetch, asked } = start();
    await fetch();
    await fetch('http://entry/a.m3u8?_HLS_msn=7');
    expect(asked[1]).toMatchObject({
      url: 'http://edge1/a.m3u8?token=t&_HLS_msn=7',
      heldMs: 6_000,
    });
  });
});
