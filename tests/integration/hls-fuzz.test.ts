import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AppError } from '#kernel/app-error';
import { streamIdOf } from '#kernel/ids';
import { createHandleCodec, parsePlaylist, readMediaList, rewritePlaylist, tracksOf } from '#hls';
import { answer, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';

/** `FUZZ=1` tries a hundred thousand of each: about five minutes. */
const IS_LONG = process.env['FUZZ'] !== undefined;
const MANY = IS_LONG ? 100_000 : 10_000;
const OVER_HTTP = IS_LONG ? 100_000 : 500;

/** What strange playlists and links may be answered with. */
const DUE = new Set([200, 400, 403, 422, 502]);

/** A generator of its own: a failure says by which number it can be had again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = [
  '#EXTINF:',
  '#EXT-X-KEY:METHOD=AES-128,URI="',
  '#EXT-X-MAP:URI="',
  'BYTERANGE="9@',
  '#EXT-X-BYTERANGE:',
  '#EXT-X-STREAM-INF:BANDWIDTH=',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="',
  '#EXT-X-DEFINE:NAME="',
  '#EXT-X-DEFINE:QUERYPARAM="',
  '#EXT-X-PART:DURATION=',
  '#EXT-X-SKIP:SKIPPED-SEGMENTS=',
  '#EXT-X-ENDLIST',
  '#EXT-X-MEDIA-SEQUENCE:',
  '#EXT-X-DISCONTINUITY-SEQUENCE:',
  '#EXT-X-TARGETDURATION:',
  '#EXT-X-DATERANGE:ID="',
  '#EXT-X-CONTENT-STEERING:SERVER-URI="',
  '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="',
  '#EXT-X-SERVER-CONTROL:',
  'http://h/',
  '//h',
  '../',
  '{$v}',
  'VALUE="',
  '"',
  ',',
  '=',
  ':',
  '@',
  '%',
  '#',
  '\n',
  '\r\n',
  '\r',
  '\0',
  '\u{FEFF}',
  '18446744073709551615',
  '-1',
  'NaN',
  '1e999',
  '0x',
  'a.ts',
  'é',
  '\u{1F600}',
  '\uD800',
  ' ',
  '\t',
];

function playlistOf(seed: number): string {
  const random = randomFrom(seed);
  const words = Array.from({ length: 1 + random(40) }, () => WORDS[random(WORDS.length)]);
  return `#EXTM3U\n${words.join('')}`;
}

const BASE = { baseUrl: 'http://h/x/y.m3u8?z=1' };

/** Everything that reads a playlist of a source. */
function readAll(playlist: string): void {
  parsePlaylist(playlist);
  readMediaList(playlist, BASE);
  tracksOf(playlist, BASE);
  rewritePlaylist(playlist, { ...BASE, toLocal: ({ written }) => written });
}

describe('whatever comes', () => {
  it('as a playlist is read or refused, never more', { timeout: 60_000 }, () => {
    for (let seed = 0; seed < MANY; seed += 1) {
      try {
        readAll(playlistOf(seed));
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'INTERNAL') {
          throw new Error(`Playlist ${seed} is not refused as it should be.`, { cause: error });
        }
      }
    }
    expect(() => readAll(playlistOf(1))).not.toThrow(TypeError);
  });

  it('as a handle opens nothing', { timeout: 60_000 }, () => {
    const codec = createHandleCodec(randomBytes(32));
    const id = streamIdOf('http://h/');
    const codes = new Set<unknown>();
    for (let count = 0; count < MANY; count += 1) {
      const handle = randomBytes(count % 200).toString(count % 3 === 0 ? 'latin1' : 'base64url');
      try {
        codec.open(id, handle);
        codes.add('opened');
      } catch (error) {
        codes.add(error instanceof AppError ? error.code : error);
      }
    }
    expect([...codes]).toEqual(['HANDLE_INVALID']);
  });

  it('over HTTP is answered, and by no error of ours', { timeout: 1_200_000 }, async () => {
    let seed = 0;
    await using provider = await startFakeProvider({
      '/': answer(() => ({
        headers: { 'content-type': PLAYLIST_TYPE },
        body: playlistOf((seed += 1)),
      })),
      '/good.m3u8': text('#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n', PLAYLIST_TYPE),
    });
    await using penstock = await startHls();
    const rejected: unknown[] = [];
    const note = (reason: unknown): void => void rejected.push(reason);
    process.on('unhandledRejection', note);
    const good = penstock.playlistUrl(await penstock.create(provider.url('/good.m3u8')));
    const [link = ''] = linksIn(await (await fetch(good)).text(), good);
    const statuses = new Map<number, number>();
    const ask = async (count: number): Promise<void> => {
      const url = count % 2 === 0 ? await strange(count) : mangled(link, count);
      const answered = await fetch(url);
      await answered.arrayBuffer().catch(() => {});
      statuses.set(answered.status, (statuses.get(answered.status) ?? 0) + 1);
    };
    const strange = async (count: number): Promise<string> =>
      penstock.playlistUrl(await penstock.create(provider.url(`/${count}.m3u8`)));
    for (let count = 0; count < OVER_HTTP; count += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => ask(count + n)));
    }
    process.off('unhandledRejection', note);
    expect(rejected).toEqual([]);
    expect([...statuses.keys()].filter((code) => !DUE.has(code))).toEqual([]);
  });
});

/** A link of ours with something of it changed, cut off or added. */
function mangled(link: string, seed: number): string {
  const random = randomFrom(seed);
  const at = link.indexOf('?h=') + 3 + random(link.length - link.indexOf('?h=') - 3);
  const kinds = [
    () => `${link.slice(0, at)}${String.fromCharCode(33 + random(90))}${link.slice(at + 1)}`,
    () => link.slice(0, at),
    () => `${link}&h=x`,
    () => `${link.slice(0, link.indexOf('?'))}?h=${randomBytes(random(300)).toString('hex')}`,
    () => link.replace('segment.ts', 'playlist.m3u8'),
    () => `${link}&_HLS_msn=${WORDS[random(WORDS.length)]?.replaceAll(/[^\w-]/g, '')}`,
  ] as const;
  return (kinds[random(kinds.length)] ?? kinds[0])().replaceAll('#', '%23');
}
