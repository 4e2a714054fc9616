import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import { parsePlaylist } from '#hls';
import type { Source } from '#streams';
import { stickyFetcher } from '../../../services/delivery/hls/sticky-fetcher.ts';

const SOURCE: Source = { url: 'http://balancer/index.m3u8', index: -1, headers: {} };
const TEXT = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n1.ts\n';

/** A balancer that leads to one server after the other; some servers are down. */
function balanced({ isSticky = true } = {}) {
  const asked: string[] = [];
  const down = new Set<string>();
  let turn = 0;
  const fetch = stickyFetcher(
    async (_source, url) => {
      asked.push(url);
      const finalUrl = url === SOURCE.url ? `http://server${(turn += 1)}/index.m3u8` : url;
      if (down.has(finalUrl)) throw new UpstreamError('UPSTREAM_REFUSED', { message: '' });
      return { text: TEXT, encoding: 'utf8', finalUrl, facts: parsePlaylist(TEXT) };
    },
    () => isSticky,
  );
  const ask = async (url = SOURCE.url): Promise<string> =>
    (await fetch(SOURCE, url, new AbortController().signal)).finalUrl;
  return { ask, asked, down };
}

describe('a sticky stream', () => {
  it('stays with the server that its address led to', async () => {
    const { ask, asked } = balanced();
    expect([await ask(), await ask(), await ask()]).toEqual(
      Array(3).fill('http://server1/index.m3u8'),
    );
    expect(asked.filter((url) => url === SOURCE.url)).toHaveLength(1);
  });

  it('is led elsewhere as soon as that server fails', async () => {
    const { ask, down } = balanced();
    await ask();
    down.add('http://server1/index.m3u8');
    expect(await ask()).toBe('http://server2/index.m3u8');
    expect(await ask()).toBe('http://server2/index.m3u8');
  });

  it('fails with its address, not with the server it was kept to', async () => {
    const { ask, down, asked } = balanced();
    await ask();
    down.add('http://server1/index.m3u8').add('http://server2/index.m3u8');
    await expect(ask()).rejects.toMatchObject({ code: 'UPSTREAM_REFUSED' });
    expect(asked.at(-1)).toBe(SOURCE.url);
  });

  it('is led by what its playlists name, without memory', async () => {
    const { ask, asked } = balanced();
    await ask('http://elsewhere/child.m3u8');
    await ask('http://elsewhere/child.m3u8');
    expect(asked).toEqual(Array(2).fill('http://elsewhere/child.m3u8'));
  });
});

describe('a stream that is not', () => {
  it('asks its address each time', async () => {
    const { ask } = balanced({ isSticky: false });
    expect([await ask(), await ask()]).toEqual([
      'http://server1/index.m3u8',
      'http://server2/index.m3u8',
    ]);
  });
});
