import { describe, expect, it } from 'vitest';
import { FragmentPackager, Packager } from '#conversion';
import type { Packaging } from '#conversion';
import { PackagedDelivery } from '#delivery';
import { asStreamId } from '#kernel/ids';
import { startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import {
  isListForFfmpeg,
  isTakenByFfmpeg,
  mayBeReadByFfmpeg,
} from '../support/ffmpeg-extensions.ts';
import { fragmentedMp4 } from '../support/fmp4-media.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';
import { TestClock } from '../support/test-clock.ts';
import { simpleStream } from '../support/ts-build.ts';

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

/** A viewer may call itself so; and passes have dots as well. */
const VIEWER = 'client_id=tv.living.room';

/** Every URI that a playlist names, by the tag that it stands in; segments stand in none. */
const urisIn = (playlist: string, at: string): ReadonlyMap<string, string> =>
  new Map(
    playlist.split('\n').flatMap((line): [string, string][] => {
      const uri = line.startsWith('#') ? /[:,]URI="([^"]+)"/.exec(line)?.[1] : line;
      if (uri === undefined || uri === '') return [];
      return [[/^#(?:EXT-X-)?([A-Z-]+)/.exec(line)?.[1] ?? 'line', new URL(uri, at).href]];
    }),
  );

describe('links of all else', () => {
  it('are known for playlists by name and type: variants, renditions, film strips', async () => {
    const entry =
      '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="sound"\n' +
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="strip.php?x=1.2"\n' +
      '#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI="images"\n' +
      '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="key"\n' +
      '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv?format=hls\n';
    await using provider = await startFakeProvider({
      '/index.m3u8': text(entry, PLAYLIST_TYPE),
      '/': text(media('a.ts'), 'text/plain'),
    });
    await using penstock = await startHls();
    const id = await penstock.create(provider.url('/index.m3u8'));
    const url = `${penstock.playlistUrl(id)}?${VIEWER}`;
    const answer = await fetch(url);
    expect(isListForFfmpeg(url, answer.headers.get('content-type'))).toBe(true);
    const uris = new Map(urisIn(await answer.text(), url));
    expect(mayBeReadByFfmpeg(uris.get('SESSION-KEY') ?? '')).toBe(true);
    uris.delete('SESSION-KEY');
    expect([...uris.keys()]).toEqual(['MEDIA', 'I-FRAME-STREAM-INF', 'IMAGE-STREAM-INF', 'line']);
    for (const link of uris.values()) {
      const child = await fetch(link);
      expect([child.status, isListForFfmpeg(link, child.headers.get('content-type'))]).toEqual([
        200,
        true,
      ]);
    }
  });

  it('may be read where they lead to keys and heads of boxes; parts are as segments', async () => {
    const list =
      '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-PART-INF:PART-TARGET=1\n' +
      '#EXT-X-KEY:METHOD=AES-128,URI="key.php?id=7"\n#EXT-X-MAP:URI="head"\n' +
      '#EXTINF:1,\na.m4s\n#EXT-X-PART:DURATION=1,URI="b.0.m4s"\n' +
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b.1.m4s"\n';
    await using provider = await startFakeProvider({ '/index.m3u8': text(list, PLAYLIST_TYPE) });
    await using penstock = await startHls();
    const id = await penstock.create(provider.url('/index.m3u8'));
    const url = `${penstock.playlistUrl(id)}?${VIEWER}`;
    const uris = urisIn(await (await fetch(url)).text(), url);
    const held = [...uris].map(([tag, link]) => [
      tag,
      ['KEY', 'MAP'].includes(tag) ? mayBeReadByFfmpeg(link) : isTakenByFfmpeg(link, 'mp4'),
    ]);
    expect(held).toEqual(['KEY', 'MAP', 'line', 'PART', 'PRELOAD-HINT'].map((tag) => [tag, true]));
  });

  it.each(['a.vtt', 'a.mp3', 'a.m4s', 'a.ts'])(
    'have their name behind what a viewer calls itself: %s',
    async (name) => {
      await using provider = await startFakeProvider({
        '/index.m3u8': text(media(name), PLAYLIST_TYPE),
      });
      await using penstock = await startHls();
      const id = await penstock.create(provider.url('/index.m3u8'));
      const [link = ''] = await load(`${penstock.playlistUrl(id)}?${VIEWER}`);
      const format = { 'a.vtt': 'webvtt', 'a.mp3': 'mp3', 'a.m4s': 'mp4' }[name] ?? 'mpegts';
      expect([link.includes('tv.living.room'), isTakenByFfmpeg(link, format)]).toEqual([
        true,
        true,
      ]);
    },
  );
});

describe('links of what is cut here', () => {
  const clock = new TestClock(Date.UTC(2026, 0, 1));
  const delivery = new PackagedDelivery({
    tap: () => expect.unreachable(),
    secret: Buffer.alloc(32),
    segmentMs: 1000,
    segmentBytes: 1e7,
    viewerIdleMs: 1000,
    patienceMs: 1000,
    clock,
    timers: clock,
  });
  const base = 'http://127.0.0.1/hls/s/';
  const options = { targetMs: 1000, mostBytes: 1e8, clock };
  const urisOf = (packaging: Packaging, list?: string) => {
    const linkOf = delivery.linksOf(asStreamId('s'), `&${VIEWER}`);
    return urisIn(packaging.text(linkOf, list) ?? '', base);
  };

  it('of a transport stream have a name that FFmpeg takes', () => {
    const packager = new Packager(options);
    packager.write(simpleStream({ pictures: 75, gop: 25, firstPts90k: 90_000 }));
    const uris = [...urisOf(packager)];
    expect(uris.map(([tag, link]) => [tag, isTakenByFfmpeg(link, 'mpegts')])).toEqual([
      ['line', true],
    ]);
  });

  it('of boxes have one too, their heads and the lists of their tracks', () => {
    const packager = new FragmentPackager(options);
    packager.write(fragmentedMp4({ heights: [180, 90] }));
    const names: string[] = [];
    const entry = packager.text(({ name, file }) => {
      names.push(name);
      return `${file}?h=${name}`;
    });
    expect(entry).toContain('#EXT-X-STREAM-INF');
    for (const [tag, link] of urisOf(packager))
      expect([tag, isListForFfmpeg(link, PLAYLIST_TYPE)]).toEqual([tag, true]);
    for (const name of names) {
      const { MAP = '', line = '' } = Object.fromEntries(urisOf(packager, name));
      expect([mayBeReadByFfmpeg(MAP), isTakenByFfmpeg(MAP, 'mp4')]).toEqual([true, true]);
      expect(isTakenByFfmpeg(line, 'mp4')).toBe(true);
    }
    expect(names).toHaveLength(3);
  });
});

it('the rule refuses what FFmpeg refuses', () => {
  expect(isListForFfmpeg('http://a/list?h=x', PLAYLIST_TYPE)).toBe(false);
  expect(isListForFfmpeg('http://a/list.m3u8?h=x', 'text/plain')).toBe(false);
  expect(mayBeReadByFfmpeg('http://a/key?h=x')).toBe(false);
  expect(isTakenByFfmpeg('http://a/segment.ts?h=x', 'webvtt')).toBe(false);
  expect(isTakenByFfmpeg('http://a/segment?h=x', 'mpegts')).toBe(false);
  expect(isTakenByFfmpeg('http://a/segment.ts?h=x', 'mp3')).toBe(false);
});
