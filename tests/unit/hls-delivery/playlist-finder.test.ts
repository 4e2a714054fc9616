import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import { parsePlaylist } from '#hls';
import type { Target } from '#hls';
import type { Source } from '#streams';
import { PlaylistFinder } from '../../../services/delivery/hls/playlists/playlist-finder.ts';
import type {
  FoundPlaylist,
  PlaylistAsk,
} from '../../../services/delivery/hls/playlists/playlist-finder.ts';
import { sourceTagOf } from '../../../services/delivery/viewing/source-tag.ts';

const A: Source = { url: 'http://a/index.m3u8', index: -1, headers: {} };
const B: Source = { url: 'http://b/index.m3u8', index: 0, headers: {} };

const media = (name: string): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${name}.ts\n`;
const variants = (...uris: string[]): string =>
  `#EXTM3U\n${uris.map((uri, n) => `#EXT-X-STREAM-INF:BANDWIDTH=${n + 1}000\n${uri}\n`).join('')}`;

/** A provider whose playlists are these; all else is 404. */
function finderOver(texts: Record<string, string>, bitsPerSecond = (): number => 0) {
  const asked: string[] = [];
  const finder = new PlaylistFinder(
    async (_source, url) => {
      asked.push(url);
      const text = texts[url];
      if (text === undefined)
        throw new UpstreamError('UPSTREAM_STATUS', { message: '', details: { status: 404 } });
      return { text, encoding: 'utf8', finalUrl: url, facts: parsePlaylist(text) };
    },
    { bitsPerSecond },
  );
  const found = (source: Source, ask: PlaylistAsk, directives = ''): Promise<FoundPlaylist> =>
    finder.find(source, { ask, directives }, new AbortController().signal);
  const find = async (...asking: Parameters<typeof found>): Promise<string> =>
    (await found(...asking)).playlist.finalUrl;
  return { find, found, asked };
}

const child = (url: string, ordinal: number, source = A): PlaylistAsk => {
  const track = { role: 'variant', ordinal, bandwidth: (ordinal + 1) * 1000 };
  const target: Target = { kind: 'playlist', url, source: sourceTagOf(source), track };
  return { kind: 'child', target };
};

/** The link of a viewer who came by the other source. */
const like = (role: string): PlaylistAsk => ({
  kind: 'child',
  target: {
    kind: 'playlist',
    url: 'http://a/v.m3u8',
    source: sourceTagOf(A),
    track: { role, ordinal: 0, bandwidth: 0 },
  },
});

describe('PlaylistFinder', () => {
  it('asks the present source for a viewer’s own link', async () => {
    const { find, asked } = finderOver({ 'http://a/v1.m3u8': media('1') });
    expect(await find(A, child('http://a/v1.m3u8', 1))).toBe('http://a/v1.m3u8');
    expect(asked).toHaveLength(1);
  });

  it('looks another source’s like up once, and remembers where it is', async () => {
    const { find, asked } = finderOver({
      'http://b/index.m3u8': variants('x.m3u8', 'y.m3u8'),
      'http://b/y.m3u8': media('y'),
    });
    expect(await find(B, child('http://a/v1.m3u8', 1))).toBe('http://b/y.m3u8');
    expect(await find(B, child('http://a/v1.m3u8', 1))).toBe('http://b/y.m3u8');
    expect(asked).toEqual(['http://b/index.m3u8', 'http://b/y.m3u8', 'http://b/y.m3u8']);
  });

  it('looks it up again when what it remembers is gone', async () => {
    const texts: Record<string, string> = {
      'http://b/index.m3u8': variants('x.m3u8'),
      'http://b/x.m3u8': media('x'),
    };
    const { find } = finderOver(texts);
    await find(B, child('http://a/v1.m3u8', 0));
    Object.assign(texts, {
      'http://b/index.m3u8': variants('z.m3u8'),
      'http://b/z.m3u8': media('z'),
    });
    delete texts['http://b/x.m3u8'];
    expect(await find(B, child('http://a/v1.m3u8', 0))).toBe('http://b/z.m3u8');
  });

  it('stays with the refusal when the entry names the same link again', async () => {
    const { find, asked } = finderOver({ 'http://a/index.m3u8': variants('v0.m3u8') });
    await expect(find(A, child('http://a/v0.m3u8', 0))).rejects.toMatchObject({
      code: 'UPSTREAM_STATUS',
    });
    expect(asked).toEqual(['http://a/v0.m3u8', 'http://a/index.m3u8']);
  });

  it('says so when the present source has no track of the kind', async () => {
    const { find } = finderOver({ 'http://b/index.m3u8': variants('x.m3u8') });
    const ask = child('http://a/s.m3u8', 0);
    if (ask.kind !== 'child') throw new Error('No child.');
    const subtitles = {
      ...ask,
      target: { ...ask.target, track: { role: 'subtitles', ordinal: 0, bandwidth: 0 } },
    };
    await expect(find(B, subtitles)).rejects.toMatchObject({ code: 'UPSTREAM_CHANGED' });
  });

  it('asks for what is no track of the stream where its link leads, whatever source is in use', async () => {
    const { find } = finderOver({ 'http://ads/1.m3u8': media('ad') });
    const target: Target = { kind: 'playlist', url: 'http://ads/1.m3u8', source: sourceTagOf(A) };
    expect(await find(B, { kind: 'child', target })).toBe('http://ads/1.m3u8');
  });

  it('gives a media playlist to who has begun with one', async () => {
    const { find } = finderOver({
      'http://b/index.m3u8': variants('x.m3u8', 'y.m3u8'),
      'http://b/x.m3u8': media('x'),
    });
    expect(await find(B, { kind: 'entry', wants: 'media' })).toBe('http://b/x.m3u8');
    expect(await find(B, { kind: 'entry', wants: 'any' })).toBe('http://b/index.m3u8');
  });

  it('gives such a viewer the variant of as many bits, and stays with it', async () => {
    let bitsPerSecond = 1900;
    const { find } = finderOver(
      {
        'http://b/index.m3u8': variants('x.m3u8', 'y.m3u8', 'z.m3u8'),
        'http://b/y.m3u8': media('y'),
      },
      () => bitsPerSecond,
    );
    expect(await find(B, { kind: 'entry', wants: 'media' })).toBe('http://b/y.m3u8');
    bitsPerSecond = 3000;
    expect(await find(B, { kind: 'entry', wants: 'media' })).toBe('http://b/y.m3u8');
  });

  it('has a source’s only playlist stand in for sound and pictures, and for no text', async () => {
    const { find } = finderOver({ 'http://b/index.m3u8': media('b') });
    expect(await find(B, like('variant'))).toBe('http://b/index.m3u8');
    expect(await find(B, like('audio'))).toBe('http://b/index.m3u8');
    await expect(find(B, like('subtitles'))).rejects.toMatchObject({ code: 'UPSTREAM_CHANGED' });
    await expect(find(B, like('iframe'))).rejects.toMatchObject({ code: 'UPSTREAM_CHANGED' });
  });

  it('says who gets pictures alone that had sound with them', async () => {
    const sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",URI="s.m3u8"\n';
    const apart = `#EXTM3U\n${sound}#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="s"\nv.m3u8\n`;
    const { found } = finderOver({
      'http://b/index.m3u8': apart,
      'http://b/v.m3u8': media('v'),
      'http://b/s.m3u8': media('s'),
    });
    expect((await found(B, like('variant'))).isSilent).toBe(true);
    expect((await found(B, { kind: 'entry', wants: 'media' })).isSilent).toBe(true);
    expect((await found(B, like('audio'))).isSilent).toBe(false);
    const withSound = like('variant');
    if (withSound.kind !== 'child' || !withSound.target.track) throw new Error('No track.');
    const track = { ...withSound.target.track, traits: { AUDIO: 'x' } };
    const apartBefore = { ...withSound, target: { ...withSound.target, track } };
    expect((await found(B, apartBefore)).isSilent).toBe(false);
  });

  it('adds directives to a query, and does without where they are refused', async () => {
    const { find, asked } = finderOver({ 'http://a/v.m3u8?t=1': media('v') });
    expect(await find(A, child('http://a/v.m3u8?t=1', 0), '_HLS_msn=3')).toBe(
      'http://a/v.m3u8?t=1',
    );
    expect(asked).toEqual(['http://a/v.m3u8?t=1&_HLS_msn=3', 'http://a/v.m3u8?t=1']);
  });
});
