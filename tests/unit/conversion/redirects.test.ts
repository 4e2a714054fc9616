import { describe, expect, it } from 'vitest';
import { Redirects } from '../../../services/conversion/redirects.ts';

const ENTRY = 'http://entry/a.m3u8';
const HEADERS = { 'User-Agent': 'x', Authorization: 'Basic secret', Cookie: 'a=b' };

async function ledTo(...urls: readonly string[]): Promise<(to: string) => readonly string[]> {
  const redirects = new Redirects();
  const waiting = [...urls];
  const fetch = redirects.noting(async () => {
    const finalUrl = waiting.shift() ?? ENTRY;
    return { text: '', encoding: 'utf8', finalUrl, facts: { shape: 'media' } };
  });
  const { signal } = new AbortController();
  for (const _ of urls) await fetch({ url: ENTRY, headers: HEADERS }, signal);
  return (to) => Object.keys(redirects.headersFor(HEADERS, { from: ENTRY, to }));
}

describe('redirects of a source', () => {
  it('keep its secrets from where only they have led', async () => {
    const sentTo = await ledTo('http://edge/a.m3u8');
    expect(sentTo('http://edge/1.ts')).toEqual(['User-Agent']);
    for (const url of ['http://entry/key.bin', 'http://cdn/1.ts']) {
      expect(sentTo(url)).toEqual(Object.keys(HEADERS));
    }
  });

  it('keep nothing back within its own origin', async () => {
    const sentTo = await ledTo('http://entry/other/a.m3u8');
    expect(sentTo('http://entry/1.ts')).toEqual(Object.keys(HEADERS));
  });

  it('are remembered for so many origins, the latest', async () => {
    const edges = Array.from({ length: 40 }, (_, n) => `http://edge${n}/a.m3u8`);
    const sentTo = await ledTo(...edges);
    expect(sentTo('http://edge39/1.ts')).toEqual(['User-Agent']);
    expect(sentTo('http://edge0/1.ts')).toEqual(Object.keys(HEADERS));
  });
});
