import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { FetchPlaylist, PlaylistText } from '../../../services/conversion/ports.ts';
import { stickyFetch } from '../../../services/conversion/sticky-fetch.ts';

const ENTRY = 'http://entry/a.m3u8';
const HEADERS = { 'User-Agent': 'x', Authorization: 'Basic secret' };

function start() {
  const asked: Parameters<FetchPlaylist>[0][] = [];
  const broken = new Set<string>();
  let edge = 'http://edge1';
  const fetch = stickyFetch(async (exchange): Promise<PlaylistText> => {
    asked.push(exchange);
    const { url } = exchange;
    if (broken.has(new URL(url).origin)) throw new UpstreamError('UPSTREAM_RESET', { message: '' });
    const finalUrl = url.startsWith('http://entry') ? `${edge}${new URL(url).pathname}?t=1` : url;
    return { text: '', encoding: 'utf8', finalUrl, facts: { shape: 'media' } };
  });
  const signal = new AbortController().signal;
  const ask = (url = ENTRY): Promise<PlaylistText> => fetch({ url, headers: HEADERS }, signal);
  const urls = (): string[] => asked.map(({ url }) => url);
  return { ask, asked, urls, broken, moveTo: (to: string) => void (edge = to) };
}

describe('a sticky fetcher', () => {
  it('keeps to where a redirect led, without the secrets of the source', async () => {
    const { ask, asked, urls, moveTo } = start();
    await ask();
    moveTo('http://edge2');
    await ask();
    expect(urls()).toEqual([ENTRY, 'http://edge1/a.m3u8?t=1']);
    expect(asked.map(({ headers }) => Object.keys(headers))).toEqual([
      ['User-Agent', 'Authorization'],
      ['User-Agent'],
    ]);
  });

  it('asks the source’s own address within the same request when that fails, and stays there', async () => {
    const { ask, urls, broken, moveTo } = start();
    await ask();
    broken.add('http://edge1');
    moveTo('http://edge2');
    await ask();
    await ask();
    const again = ['http://edge1/a.m3u8?t=1', ENTRY, 'http://edge2/a.m3u8?t=1'];
    expect(urls()).toEqual([ENTRY, ...again]);
  });

  it('fails as the source’s own address does', async () => {
    const { ask, broken } = start();
    await ask();
    broken.add('http://edge1').add('http://entry');
    await expect(ask()).rejects.toMatchObject({ code: 'UPSTREAM_RESET' });
  });

  it('keeps a place for each playlist, for so many of them', async () => {
    const { ask, urls } = start();
    for (let n = 0; n < 40; n += 1) await ask(`http://entry/${n}.m3u8`);
    await ask('http://entry/3.m3u8');
    await ask('http://entry/39.m3u8');
    expect(urls().slice(-2)).toEqual(['http://edge1/3.m3u8?t=1', 'http://entry/39.m3u8']);
  });
});
