import { createCipheriv } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  file,
  folder,
  hlsLive,
  liveTs,
  startFakeProvider,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider, Route } from '../../scripts/faultd.d/fake-provider.ts';
import { AES_IV, AES_KEY } from '../../scripts/faultd.d/media-recipes.ts';
import { Browser, type Page } from '../support/browser.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';
import { lowLatencyChannel } from '../support/low-latency-origin.ts';
import { useProduct } from '../support/use-product.ts';

const LIBRARY = createRequire(import.meta.url).resolve('hls.js');

/**
 * A page with one player, which keeps what goes wrong. A name of the viewer goes in a header that
 * a browser sends to another origin only where a preflight has allowed it.
 */
const PAGE = `<!doctype html><video id="video" muted></video><script src="/hls.js"></script>
<script>
  const video = document.getElementById('video');
  const asked = new URL(location.href).searchParams;
  const fatal = [];
  const minor = [];
  let parts = 0;
  let turns = 0;
  const player = new Hls({
    lowLatencyMode: asked.has('low'),
    xhrSetup: (xhr) => asked.has('name') && xhr.setRequestHeader('X-Username', asked.get('name')),
  });
  player.on(Hls.Events.ERROR, (_, { fatal: ends, details }) => (ends ? fatal : minor).push(details));
  player.on(Hls.Events.FRAG_LOADED, (_, { part }) => { if (part) parts += 1; });
  player.on(Hls.Events.FRAG_CHANGED, (_, { frag }) => (turns = frag.cc));
  player.loadSource(asked.get('stream'));
  player.attachMedia(video);
  player.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  const bufferedTo = () => (video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0);
  const state = () => ({
    at: video.currentTime, bufferedTo: bufferedTo(), latency: player.latency, parts, turns,
    pictures: video.getVideoPlaybackQuality().totalVideoFrames,
    failure: video.error?.message ?? null, fatal, minor,
  });
</script>`;

/** A page whose browser reads playlists itself, as Safari does. */
const NATIVE_PAGE = `<!doctype html><video id="video" muted></video><script>
  const video = document.getElementById('video');
  const state = () => ({ at: video.currentTime, failure: video.error?.message ?? null });
  video.crossOrigin = 'anonymous';
  video.src = new URL(location.href).searchParams.get('stream');
  video.play();
</script>`;

type State = {
  readonly at: number;
  readonly bufferedTo: number;
  readonly latency: number;
  readonly parts: number;
  /** Discontinuities before what is seen. */
  readonly turns: number;
  readonly pictures: number;
};

/** Status, range and length of what a script on the page gets of a segment. */
const FIRST_BYTES = `fetch(player.levels[0].details.fragments[0].url, {
  headers: { Range: 'bytes=0-9', 'X-Username': 'bob' },
}).then(async (answer) => [
  answer.status, answer.headers.get('content-range'), (await answer.arrayBuffer()).byteLength,
])`;

const WELL = { failure: null, fatal: [] };
const PATIENCE = { state: 'state()', deadlineMs: 15_000 };

const stage = useProduct({ env: { HLS_SEGMENT_SECONDS: '1' } });
let browser: Browser;
let site: FakeProvider;

beforeAll(async () => {
  browser = await Browser.start();
  site = await startFakeProvider({
    '/page': text(PAGE, 'text/html'),
    '/native': text(NATIVE_PAGE, 'text/html'),
    '/hls.js': file(LIBRARY, { contentType: 'text/javascript' }),
  });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Creates a stream and plays it on a page of another origin. */
async function play(
  stream: Record<string, unknown>,
  { more = '', page = '/page' } = {},
): Promise<Page> {
  const id = await stage.product.api.createStream(stream);
  const url = encodeURIComponent(`${stage.product.url}/hls/${id}/playlist.m3u8`);
  return browser.open(`${site.url(page)}?stream=${url}${more}`);
}

const stateOf = async (page: Page): Promise<State> => (await page.evaluate('state()')) as State;

type Place = { readonly path: string; readonly route: Route };

const playlistOf = (route: Route): Place => ({ path: '/l/index.m3u8', route });
const keyOf = ({ path }: Place): string => path.replace(/index\.m3u8$/, '');

/** Plays from one provider, which dies, and on beyond what it can have sent. */
async function playThroughDeath(one: Place, other: Place): Promise<State> {
  const key = keyOf(other);
  await using provider = await startFakeProvider({ [keyOf(one)]: one.route });
  await using backup = await startFakeProvider({ [key]: other.route });
  const failover = backup.url(other.path);
  const page = await play({ url: provider.url(one.path), failover_urls: [failover] });
  await page.until('video.currentTime > 0.3', PATIENCE);
  await provider.down();
  await backup.until(() => backup.requestsOf(key).length > 0, 10_000);
  const before = await stateOf(page);
  await page.until(`video.currentTime > ${before.bufferedTo + 2.5}`, PATIENCE);
  const after = await stateOf(page);
  // Shown, not skipped.
  expect(after.pictures - before.pictures).toBeGreaterThan(25);
  return after;
}

/** A film in fMP4 whose segments are encrypted and whose addresses are made of variables. */
async function film(path: string): Promise<Record<string, Route>> {
  const plain = await readFile(join(path, 'index.m3u8'), 'utf8');
  const key = `#EXT-X-KEY:METHOD=AES-128,URI="{$dir}/key",IV=0x${AES_IV}`;
  const names = '#EXT-X-DEFINE:IMPORT="dir"\n#EXT-X-DEFINE:QUERYPARAM="end"';
  const list = plain
    .replace('#EXTM3U', `#EXTM3U\n${names}`)
    .replace('#EXT-X-MAP:URI="', '$&{$dir}/')
    .replace(/#EXT-X-MAP.*/, `$&\n${key}`)
    .replaceAll(/^([^#\n]+)\.m4s$/gm, '{$dir}/$1.{$end}');
  const master =
    '#EXTM3U\n#EXT-X-DEFINE:NAME="dir",VALUE="/film"\n' +
    '#EXT-X-STREAM-INF:BANDWIDTH=1000000\nv.m3u8?end=m4s\n';
  return {
    '/m.m3u8': text(master, PLAYLIST_TYPE),
    '/v.m3u8': text(list, PLAYLIST_TYPE),
    '/film/key': text(AES_KEY, 'application/octet-stream'),
    '/film/init.mp4': file(join(path, 'init.mp4')),
    '/film/': answer(async ({ path: asked }) => ({
      headers: { 'content-type': 'video/mp4' },
      body: encrypted(await readFile(join(path, asked.slice('/film/'.length)))),
    })),
  };
}

function encrypted(clear: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-cbc', AES_KEY, Buffer.from(AES_IV, 'hex'));
  return Buffer.concat([cipher.update(clear), cipher.final()]);
}

describe.concurrent('hls.js on a page of another origin', () => {
  it('plays a live playlist, and on when its source dies', async () => {
    const one = hlsLive(stage.main, { encrypted: true });
    const after = await playThroughDeath(playlistOf(one), playlistOf(hlsLive(stage.other)));
    expect(after).toMatchObject({ ...WELL, turns: 1 });
  });

  it('plays a live playlist, and on when a transport stream takes its place', async () => {
    const other = { path: '/b.ts', route: liveTs(stage.other) };
    const after = await playThroughDeath(playlistOf(hlsLive(stage.main)), other);
    expect(after).toMatchObject({ ...WELL, turns: 1 });
  });

  it('plays a live transport stream, and on when its source dies', async () => {
    const [one, other] = [stage.main, stage.other].map((media) => ({
      path: '/a.ts',
      route: liveTs(media),
    })) as [Place, Place];
    const after = await playThroughDeath(one, other);
    expect(after).toMatchObject(WELL);
  });

  it('plays an encrypted film in fMP4 whose addresses are made of variables, and seeks', async () => {
    await using provider = await startFakeProvider(await film(stage.media.hls.fmp4));
    const page = await play({ url: provider.url('/m.m3u8') });
    await page.until('video.currentTime > 0.3', PATIENCE);
    await page.evaluate('void (video.currentTime = 6)');
    await page.until('video.currentTime > 6.5', PATIENCE);
    expect(await stateOf(page)).toMatchObject({ ...WELL, minor: [] });
  });

  it('plays a low-latency playlist in parts, nearer than it would whole ones', async () => {
    await using provider = await startFakeProvider({ '/l/': await lowLatencyChannel() });
    const page = await play({ url: provider.url('/l/index.m3u8') }, { more: '&low' });
    await page.until('video.currentTime > 0.3', PATIENCE);
    const before = await stateOf(page);
    await page.until(`video.currentTime > ${before.at + 3}`, PATIENCE);
    const after = await stateOf(page);
    expect(after).toMatchObject(WELL);
    expect(after.parts).toBeGreaterThan(8);
    expect(after.latency).toBeLessThan(3);
    expect(provider.requests.some(({ url }) => url.includes('_HLS_part='))).toBe(true);
  });

  it('may say who watches and read ranges, as a preflight has allowed it', async () => {
    const source = folder(stage.media.hls.byterange);
    await using provider = await startFakeProvider({ '/film/': source });
    const page = await play({ url: provider.url('/film/index.m3u8') }, { more: '&name=bob' });
    await page.until('video.currentTime > 0.3', PATIENCE);
    expect(await page.evaluate(FIRST_BYTES)).toEqual([
      206,
      expect.stringMatching(/^bytes 0-9\//),
      10,
    ]);
    expect(await stateOf(page)).toMatchObject(WELL);
    const { body } = await stage.product.api.get('/clients');
    expect(body['clients']).toContainEqual(expect.objectContaining({ username: 'bob' }));
  });
});

describe('a browser that reads playlists itself, on a page of another origin', () => {
  it.each(['aes', 'fmp4'] as const)('plays a film: %s', async (format) => {
    await using provider = await startFakeProvider({ '/film/': folder(stage.media.hls[format]) });
    const page = await play({ url: provider.url('/film/index.m3u8') }, { page: '/native' });
    await page.until('video.currentTime > 1', PATIENCE);
    expect(await page.evaluate('state()')).toMatchObject({ failure: null });
  });

  it('plays a live playlist', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(stage.main) });
    const page = await play({ url: provider.url('/l/index.m3u8') }, { page: '/native' });
    await page.until('video.currentTime > 1', PATIENCE);
    expect(await page.evaluate('state()')).toMatchObject({ failure: null });
  });
});
