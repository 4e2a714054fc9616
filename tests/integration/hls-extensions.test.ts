import { describe, expect, it } from 'vitest';
import { startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import { isTakenByFfmpeg } from '../support/ffmpeg-extensions.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';

const media = (...names: string[]): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${names.map((name) => `#EXTINF:1,\n${name}\n`).join('')}#EXT-X-ENDLIST\n`;
const MASTER =
  '#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",NAME="en",URI="t.m3u8"\n' +
  '#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="t"\nv.m3u8\n';

const load = async (at: string): Promise<string[]> => linksIn(await (await fetch(at)).text(), at);

/** The links of what an entry lists, or of the playlist that it names first. */
async function linksOf(entry: string, child = entry): Promise<readonly string[]> {
  await using provider = await startFakeProvider({
    '/index.m3u8': text(entry, PLAYLIST_TYPE),
    '/': text(child, PLAYLIST_TYPE),
    '/x': text('WEBVTT\n', 'text/vtt'),
  });
  await using penstock = await startHls();
  const url = penstock.playlistUrl(await penstock.create(provider.url('/index.m3u8')));
  const links = await load(url);
  return entry === child ? links : await load(links[0] ?? '');
}

describe('links of segments', () => {
  it.each([
    ['a.ts', 'mpegts'],
    ['seg?id=7', 'mpegts'],
    ['a.m4s', 'mp4'],
    ['a.mp4?token=1.2.3', 'mp4'],
    ['a.aac', 'aac'],
    ['a.mp3', 'mp3'],
    ['a.MP3?x=1', 'mp3'],
    ['a.ac3', 'ac3'],
    ['a.ec3', 'eac3'],
    ['a.vtt', 'webvtt'],
    ['a.webvtt#x', 'webvtt'],
  ])('have a name that FFmpeg takes for what they are: %s', async (name, format) => {
    const [link = ''] = await linksOf(media(name));
    expect(isTakenByFfmpeg(link, format)).toBe(true);
  });

  it('of boxes are not called transport streams, and have the type that players know', async () => {
    const body = Buffer.from('\0\0\0\x10styp\0\0\0\0\0\0\0\0', 'latin1');
    await using provider = await startFakeProvider({
      '/index.m3u8': text(media('a.m4s'), PLAYLIST_TYPE),
      '/a.m4s': text(body, 'video/iso.segment'),
    });
    await using penstock = await startHls();
    const url = penstock.playlistUrl(await penstock.create(provider.url('/index.m3u8')));
    const [link = ''] = await load(url);
    expect(new URL(link).pathname).toMatch(/\/segment$/);
    for (const method of ['HEAD', 'GET']) {
      const answer = await fetch(link, { method });
      expect(answer.headers.get('content-type')).toBe('video/mp4');
    }
  });

  it.each(['s1.vtt', 's1.ts', 's1', 's1.txt'])(
    'of subtitles have one for captions, whatever the source calls them: %s',
    async (name) => {
      const [link = ''] = await linksOf(MASTER, media(name));
      expect(isTakenByFfmpeg(link, 'webvtt')).toBe(true);
    },
  );

  it('of subtitles in boxes have one for boxes', async () => {
    const [link = ''] = await linksOf(MASTER, media('s1.m4s'));
    expect(isTakenByFfmpeg(link, 'mp4')).toBe(true);
  });
});

it('the rule refuses what FFmpeg refuses', () => {
  expect(isTakenByFfmpeg('http://a/segment.ts?h=x', 'webvtt')).toBe(false);
  expect(isTakenByFfmpeg('http://a/segment?h=x', 'mpegts')).toBe(false);
  expect(isTakenByFfmpeg('http://a/segment.ts?h=x', 'mp3')).toBe(false);
});
