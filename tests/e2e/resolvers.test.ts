import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  answer,
  file,
  folder,
  liveTs,
  startFakeProvider,
  status,
} from '../../scripts/faultd.d/fake-provider.ts';
import { decode, playWithFfmpeg, toneAtEnd } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { makeStandIns } from '../support/resolver-programs.ts';
import { startProduct } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const programs = await makeStandIns();
const cookiesFolder = join(programs.folder, 'cookies');
await mkdir(cookiesFolder);
const env = { ...programs.env, COOKIES_DIR: cookiesFolder, STREAM_RETRY_DELAY: '0.2' };
const stage = useProduct({ env });
afterAll(() => programs[Symbol.asyncDispose]());

const A_SECOND = 100_000;
const SECRET_COOKIES = '127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\ts3cret\n';

async function create(stream: Record<string, unknown>) {
  const { status: code, body } = await stage.product.api.post('/transcode', stream);
  if (code !== 200) throw new Error(JSON.stringify(body));
  const id = String(body['stream_id']);
  return { id, body, url: `${stage.product.url}/stream/${id}` };
}

/** The program itself, not the shell that watches over it. */
const PROGRAM = /^(?!sh ).*streamlink --config/;

const commands = (): readonly string[] => stage.product.processes().map(({ command }) => command);

/** Programs, what they have started, and what they were told. */
const leftovers = (): readonly string[] => [
  ...commands().filter((command) => /streamlink|yt-dlp|^sleep 300|program-watch/.test(command)),
  ...filesBelow(join(stage.product.dataDir, 'resolvers')),
];

const filesBelow = (path: string): readonly string[] =>
  existsSync(path)
    ? readdirSync(path, { recursive: true })
        .map(String)
        .filter((name) => name.includes('/'))
    : [];

async function nothingIsLeft(): Promise<void> {
  await eventually('nothing of any program is left', () => leftovers().length === 0).catch(
    () => {},
  );
  expect(leftovers()).toEqual([]);
}

describe('a page that Streamlink plays', () => {
  it('is one program for all its viewers, and tells the list of processes nothing', async () => {
    await using provider = await startFakeProvider({ '/channel': liveTs(stage.main) });
    const { id, url, body } = await create({
      url: provider.url('/channel?token=s3cret'),
      resolver: 'streamlink',
      resolver_args: 'best --hls-live-edge 3',
      cookies: SECRET_COOKIES,
      cookies_path: null,
      headers: { Referer: 'http://s3cret.example/' },
      user_agent: 'Editor/1',
      metadata: { profile_id: 3 },
    });
    expect(body).toMatchObject({
      stream_type: 'resolver',
      stream_endpoint: `/stream/${id}`,
      playlist_url: null,
      format: 'mpegts',
      resolver: 'streamlink',
      resolver_args: 'best --hls-live-edge 3',
      metadata: { transcoding: 'true', profile_id: '3', resolver: 'streamlink' },
    });
    expect(body).not.toHaveProperty('profile');
    const viewers = [watch(url), watch(url), watch(url)];
    await Promise.all(viewers.map((viewer) => viewer.reached(A_SECOND, 15_000)));
    expect(commands().filter((command) => PROGRAM.test(command))).toHaveLength(1);
    expect(commands().join('\n')).not.toContain('s3cret');
    expect(stage.product.output()).not.toContain('s3cret');
    expect(provider.requests).toHaveLength(1);
    expect(provider.requests[0]?.headers).toMatchObject({
      'user-agent': 'Editor/1',
      referer: 'http://s3cret.example/',
      cookie: 'session=s3cret',
      'x-options': 'hls-live-edge=3',
    });
    const { body: told } = await stage.product.api.get(`/streams/${id}`);
    expect(JSON.stringify(told)).not.toContain('session');
    for (const viewer of viewers) viewer.leave();
    await nothingIsLeft();
    expect((await decode(viewers[0]?.body() ?? Buffer.alloc(0))).pictures).toBeGreaterThan(5);
  });

  it('goes on from its backup, spliced, when the program ends', async () => {
    await using provider = await startFakeProvider({
      '/a': liveTs(stage.main),
      '/b': liveTs(stage.other),
    });
    const { url } = await create({
      url: provider.url('/a'),
      failover_urls: [provider.url('/b')],
      resolver: 'streamlink',
    });
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    provider.setFault('/a', status(404));
    provider.cut('/a', 'eof');
    await provider.until(() => provider.open('/b') === 1, 15_000);
    await viewer.more(2 * A_SECOND, 15_000);
    expect(viewer.ending).toBeUndefined();
    viewer.leave();
    await nothingIsLeft();
    const { complaints } = await decode(viewer.body());
    expect(
      complaints.filter((line) => !/truncat|missing picture|end of|invalid/i.test(line)),
    ).toEqual([]);
  });

  it('goes on when the program or its worker is killed, and leaves nothing of them', async () => {
    await using provider = await startFakeProvider({ '/channel': liveTs(stage.main) });
    const { url } = await create({ url: provider.url('/channel'), resolver: 'streamlink' });
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    const pidOf = () =>
      stage.product.processes().find(({ command }) => PROGRAM.test(command))?.pid ?? 0;
    const first = pidOf();
    process.kill(first, 'SIGKILL');
    await viewer.more(2 * A_SECOND, 15_000);
    const second = pidOf();
    expect(second).not.toBe(first);
    await stage.product.killAndAwaitReturn('worker');
    await eventually('the program of the dead worker is gone', () =>
      stage.product.processes().every(({ pid }) => pid !== second),
    );
    await viewer.more(2 * A_SECOND, 20_000);
    viewer.leave();
    await nothingIsLeft();
  });

  it('ends with its film', async () => {
    await using provider = await startFakeProvider({
      '/film-that-has-an-end': file(stage.media.main),
    });
    const { url } = await create({
      url: provider.url('/film-that-has-an-end'),
      resolver: 'streamlink',
    });
    await using viewer = watch(url);
    expect(await viewer.ended(20_000)).toBe('clean');
    expect((await decode(viewer.body())).pictures).toBe(200);
    await nothingIsLeft();
  });

  it('is told why there is nothing to play', async () => {
    await using provider = await startFakeProvider({});
    const { url } = await create({ url: provider.url('/none'), resolver: 'streamlink' });
    await using viewer = watch(url);
    await viewer.ended(20_000);
    expect(viewer.status).toBe(502);
    expect(JSON.parse(viewer.body().toString())).toMatchObject({ code: 'RESOLVER_FAILED' });
    expect(viewer.body().toString()).not.toContain('/none');
    await nothingIsLeft();
  });

  it('is cut into segments for players of HLS', async () => {
    await using provider = await startFakeProvider({ '/channel': liveTs(stage.main) });
    const { id } = await create({ url: provider.url('/channel'), resolver: 'streamlink' });
    const played = await playWithFfmpeg(`${stage.product.url}/hls/${id}/playlist.m3u8`, {
      seconds: 2,
    });
    expect(played).toMatchObject({ exitCode: 0, complaints: [] });
    await stage.product.api.delete(`/streams/${id}`);
    await nothingIsLeft();
  });
});

/** A page whose answer is what yt-dlp would say of it. */
const page = (say: () => unknown) =>
  answer(() => ({ headers: { 'content-type': 'text/html' }, body: `${JSON.stringify(say())}\n` }));

/** One track of the film, as sites keep it: apart, and to be read from its beginning. */
function split(name: string, map: readonly string[]): string {
  const path = join(programs.folder, `${name}.mp4`);
  const options = ['-c', 'copy', '-movflags', '+faststart', path];
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', stage.media.mp4, ...map, ...options]);
  return path;
}

describe('a page that yt-dlp looks into', () => {
  it('plays from the playlist that it finds, read by our own engine', async () => {
    await writeFile(join(cookiesFolder, 'site.txt'), SECRET_COOKIES);
    await using provider = await startFakeProvider({
      '/watch': page(() => ({
        url: provider.url('/hls/index.m3u8'),
        protocol: 'm3u8_native',
        is_live: true,
        http_headers: { 'User-Agent': 'Found/1', Host: 'evil' },
      })),
      '/hls/': folder(stage.media.hls.ts),
    });
    const { url } = await create({
      url: provider.url('/watch?v=s3cret'),
      resolver: 'ytdlp',
      resolver_args: 'bestvideo+bestaudio/best --no-playlist',
      cookies_path: join(cookiesFolder, 'site.txt'),
    });
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    expect(commands().filter((command) => command.includes('yt-dlp'))).toEqual([]);
    const [asked] = provider.requestsOf('/watch');
    expect(asked?.headers).toMatchObject({ 'x-format': 'bestvideo+bestaudio/best' });
    expect(decodeURIComponent(String(asked?.headers['x-cookies']))).toBe(SECRET_COOKIES);
    expect(provider.requestsOf('/hls/')[0]?.headers['user-agent']).toBe('Found/1');
    expect(stage.product.output()).not.toContain('s3cret');
    viewer.leave();
    await nothingIsLeft();
  });

  it('plays files of pictures and sound together, to their end', async () => {
    const video = split('v', ['-map', '0:v']);
    const sound = split('a', ['-map', '0:a']);
    await using provider = await startFakeProvider({
      '/watch': page(() => ({
        is_live: false,
        requested_formats: [
          { url: provider.url('/v.mp4'), protocol: 'https', vcodec: 'avc1.4d' },
          { url: provider.url('/a.mp4'), protocol: 'https', vcodec: 'none' },
        ],
      })),
      '/v.mp4': file(video),
      '/a.mp4': file(sound),
    });
    const { url } = await create({ url: provider.url('/watch'), resolver: 'ytdlp' });
    await using viewer = watch(url);
    expect(await viewer.ended(20_000)).toBe('clean');
    expect(viewer.status).toBe(200);
    const { pictures, complaints } = await decode(viewer.body());
    expect({ pictures, complaints }).toEqual({ pictures: 200, complaints: [] });
    expect(await toneAtEnd(viewer.body())).toBeGreaterThan(400);
  });

  it('is told when it finds what no transport stream has a place for', async () => {
    await using provider = await startFakeProvider({
      '/watch': page(() => ({ url: provider.url('/x.webm'), protocol: 'https', vcodec: 'vp9' })),
    });
    const { url } = await create({ url: provider.url('/watch'), resolver: 'ytdlp' });
    await using viewer = watch(url);
    await viewer.ended(20_000);
    expect(viewer.status).toBe(502);
    expect(JSON.parse(viewer.body().toString())).toMatchObject({ code: 'UPSTREAM_WRONG_TYPE' });
  });
});

const running = (): number => commands().filter((command) => PROGRAM.test(command)).length;

describe('viewers of one page at two api processes', () => {
  it('share one program, and the second goes on when the first process is gone', async () => {
    await using provider = await startFakeProvider({ '/shared': liveTs(stage.main) });
    const { product } = stage;
    await using other = await startProduct({
      roles: 'api',
      env: { ...env, REDIS_URL: `unix://${product.dataDir}/redis/redis.sock` },
    });
    const { id, url } = await create({ url: provider.url('/shared'), resolver: 'streamlink' });
    await using here = await watch(url).reached(A_SECOND, 15_000);
    await using there = await watch(`${other.url}/stream/${id}`).reached(A_SECOND, 15_000);
    expect(running()).toBe(1);
    expect(provider.maxOpen()).toBe(1);
    const returning = product.killAndAwaitReturn('api');
    await here.ended(10_000);
    await there.more(3 * A_SECOND, 20_000);
    expect(running()).toBe(1);
    there.leave();
    await returning;
    await nothingIsLeft();
  });
});
