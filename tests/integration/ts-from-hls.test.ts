import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  folder,
  hlsLive,
  redirect,
  startFakeProvider,
  status,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import type { Media } from '../../scripts/faultd.d/media.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { startPlayback } from '../support/playback-bench.ts';
import type { PlaybackOptions } from '../support/playback-bench.ts';
import { splitMedia } from '../support/hls-media.ts';
import type { SplitMedia } from '../support/hls-media.ts';
import { decode, toneAtEnd } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { wholeUnitsOf } from '../support/splice-check.ts';
import { Viewer, fetchOnce } from '../support/viewer.ts';

let made: Media;
let main: LoopedTs;
let other: LoopedTs;
let split: SplitMedia;

beforeAll(async () => {
  made = await media();
  main = await LoopedTs.open(made.main, made.durationMs);
  other = await LoopedTs.open(made.other, made.durationMs);
  split = await splitMedia(made.main);
});

afterAll(() => split[Symbol.asyncDispose]());

const start = (options: Omit<PlaybackOptions, 'routes'> = {}) =>
  startPlayback({
    converts: 'all',
    ...options,
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });

describe.concurrent('a transport stream from HLS', () => {
  it.each([
    ['clear', false],
    ['encrypted', true],
  ])('is made of a live playlist: %s', async (_name, encrypted) => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(main, { encrypted }) });
    await using playback = await start();
    const id = await playback.create(provider.url('/l/index.m3u8'));
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    await viewer.reached(550_000);
    viewer.leave();
    expect(viewer.status).toBe(200);
    expect(viewer.headers['content-type']).toBe('video/mp2t');
    const report = checkTs(viewer.body());
    expect(report).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    expect((await decode(wholeUnitsOf(viewer.body()))).complaints).toEqual([]);
  });

  it.each(['ts', 'fmp4', 'aes', 'byterange', 'master'] as const)(
    'is made of a film, to its last picture: %s',
    async (format) => {
      await using provider = await startFakeProvider({ '/film/': folder(made.hls[format]) });
      await using playback = await start();
      const id = await playback.create(provider.url('/film/index.m3u8'));
      await using viewer = new Viewer(`${playback.base}/stream/${id}`);
      expect(await viewer.ended()).toBe('clean');
      const played = await decode(viewer.body());
      expect(played).toMatchObject({ complaints: [], exitCode: 0, pictures: 200 });
      expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [] });
    },
  );

  it('goes on from a backup when the provider dies, without a seam', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(main) });
    await using backup = await startFakeProvider({ '/l/': hlsLive(other) });
    await using playback = await start();
    const id = await playback.create(provider.url('/l/index.m3u8'), {
      failoverUrls: [backup.url('/l/index.m3u8')],
    });
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    await viewer.reached(500_000);
    await provider.down();
    await viewer.more(500_000);
    viewer.leave();
    expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    expect((await decode(wholeUnitsOf(viewer.body()))).complaints).toEqual([]);
  });

  it.each(['ts', 'fmp4', 'packed'] as const)(
    'brings pictures and sound together that come apart: %s',
    async (form) => {
      await using provider = await startFakeProvider({ '/film/': folder(split[form]) });
      await using playback = await start();
      const id = await playback.create(provider.url('/film/index.m3u8'));
      await using viewer = new Viewer(`${playback.base}/stream/${id}`);
      expect(await viewer.ended()).toBe('clean');
      const played = await decode(viewer.body());
      expect(played).toMatchObject({ complaints: [], exitCode: 0, pictures: 200 });
      const [sound, pictures] = await tracksOf(viewer.body());
      const [wantedSound, wantedPictures] = await tracksOf(await readFile(made.main));
      expect(sound?.nb_read_packets).toBe(wantedSound?.nb_read_packets);
      expect(pictures?.nb_read_packets).toBe(wantedPictures?.nb_read_packets);
      // Where they came together, to a hundredth of a second.
      const apart = apartMs(sound, pictures) - apartMs(wantedSound, wantedPictures);
      expect(Math.abs(apart)).toBeLessThan(10);
      expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [] });
    },
  );

  it('makes a transport stream of plain AAC', async () => {
    await using provider = await startFakeProvider({ '/radio/': folder(split.radio) });
    await using playback = await start();
    const id = await playback.create(provider.url('/radio/a.m3u8'));
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    expect(await viewer.ended()).toBe('clean');
    expect(await toneAtEnd(viewer.body())).toBeCloseTo(440, -1);
  });

  it('splices at a discontinuity, so that times go on', async () => {
    const list = [
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na/seg0.ts',
      '#EXT-X-DISCONTINUITY\n#EXTINF:2,\na/seg0.ts',
      '#EXT-X-DISCONTINUITY\n#EXTINF:2,\na/seg2.ts\n#EXT-X-ENDLIST\n',
    ].join('\n');
    await using provider = await startFakeProvider({
      '/a/': folder(made.hls.ts),
      '/x.m3u8': text(list, 'application/vnd.apple.mpegurl'),
    });
    await using playback = await start();
    const id = await playback.create(provider.url('/x.m3u8'));
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    expect(await viewer.ended()).toBe('clean');
    expect(await decode(viewer.body())).toMatchObject({ complaints: [], pictures: 150 });
    expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
  });

  it('finds the playlist behind an address that does not look like one, and asks no more than a player', async () => {
    await using provider = await startFakeProvider({
      '/l/': hlsLive(main),
      '/channel/1': redirect('/l/index.m3u8'),
    });
    await using playback = await start({ sharing: 'shared' });
    const id = await playback.create(provider.url('/channel/1'));
    const viewers = [1, 2, 3].map(() => new Viewer(`${playback.base}/stream/${id}`));
    await Promise.all(viewers.map((viewer) => viewer.reached(500_000)));
    for (const viewer of viewers) viewer.leave();
    expect(provider.maxOpen()).toBe(1);
    const segments = provider.requestsOf('/l/').filter(({ url }) => url.endsWith('.ts'));
    expect(new Set(segments.map(({ url }) => url)).size).toBe(segments.length);
  });

  it('keeps to the server that a redirect chose, as a sticky stream, until that fails', async () => {
    await using provider = await startFakeProvider({
      '/in.m3u8': redirect('/edge1/index.m3u8'),
      '/edge1/': hlsLive(main),
      '/edge2/': hlsLive(main),
    });
    await using playback = await start();
    const sticky = { options: { useStickySession: true } } as Parameters<typeof playback.create>[1];
    const id = await playback.create(provider.url('/in.m3u8'), sticky);
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    await viewer.reached(100_000);
    provider.setRoute('/in.m3u8', redirect('/edge2/index.m3u8'));
    const asked = (path: string): number => provider.requestsOf(path).length;
    const before = asked('/edge1/index.m3u8');
    await eventually('the chosen one again', () => asked('/edge1/index.m3u8') > before + 1);
    expect([asked('/in.m3u8'), asked('/edge2/')]).toEqual([1, 0]);
    provider.setFault('/edge1/', status(503));
    await eventually('the other one', () => asked('/edge2/index.m3u8') > 1);
    const received = viewer.body().length;
    await viewer.reached(received + 200_000);
    viewer.leave();
    expect(asked('/in.m3u8')).toBe(2);
    expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [] });
  });

  it('leaves a bad segment out, and plays on', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(made.hls.ts) });
    provider.setFault('/film/seg1.ts', status(404));
    await using playback = await start();
    const id = await playback.create(provider.url('/film/index.m3u8'));
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    expect(await viewer.ended()).toBe('clean');
    expect(await decode(viewer.body())).toMatchObject({ complaints: [], pictures: 150 });
    expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
  });

  it('shows nothing of what its key does not open, and goes to the backup', async () => {
    await using provider = await startFakeProvider({
      '/film/': folder(made.hls.aes),
      '/film/key.bin': text('not the right key'.slice(0, 16), 'application/octet-stream'),
      '/good/': folder(made.hls.aes),
    });
    await using playback = await start();
    const alone = await playback.create(provider.url('/film/index.m3u8'));
    const refused = await fetchOnce(`${playback.base}/stream/${alone}`);
    expect([refused.status, refused.headers['x-proxy-error']]).toEqual([
      502,
      'UPSTREAM_WRONG_TYPE',
    ]);
    const id = await playback.create(provider.url('/film/index.m3u8?2'), {
      failoverUrls: [provider.url('/good/index.m3u8')],
    });
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    expect(await viewer.ended()).toBe('clean');
    expect(await decode(viewer.body())).toMatchObject({ complaints: [], pictures: 200 });
  });

  it('goes on in a film where the first source broke off', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(made.hls.ts) });
    for (const name of ['seg2.ts', 'seg3.ts']) provider.setFault(`/film/${name}`, status(503));
    await using backup = await startFakeProvider({ '/film/': folder(made.hls.ts) });
    await using playback = await start();
    const id = await playback.create(provider.url('/film/index.m3u8'), {
      failoverUrls: [backup.url('/film/index.m3u8')],
    });
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    expect(await viewer.ended()).toBe('clean');
    expect(await decode(viewer.body())).toMatchObject({ complaints: [], pictures: 200 });
    expect(backup.requestsOf('/film/').map(({ url }) => url)).toEqual([
      '/film/index.m3u8',
      '/film/seg2.ts',
      '/film/seg3.ts',
    ]);
  });

  it('says so when it takes FFmpeg and there is none', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(made.hls.fmp4) });
    await using playback = await start({ ffmpeg: '/nowhere/ffmpeg' });
    const id = await playback.create(provider.url('/film/index.m3u8'));
    const viewer = await fetchOnce(`${playback.base}/stream/${id}`);
    expect(viewer.status).toBe(503);
    expect(viewer.body().toString()).toContain('CONVERTER_MISSING');
  });

  it('leads to the playlist of a film where only live ones are converted', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(made.hls.ts) });
    await using playback = await start({ converts: 'live' });
    const id = await playback.create(provider.url('/film/index.m3u8'));
    const viewer = await fetchOnce(`${playback.base}/stream/${id}?username=ann`);
    expect(viewer.status).toBe(302);
    expect(viewer.headers.location).toBe(`../hls/${id}/playlist.m3u8?username=ann`);
  });
});

type Probed = {
  readonly codec_name: string;
  readonly start_pts: number;
  readonly nb_read_packets: string;
};

const apartMs = (one: Probed | undefined, two: Probed | undefined): number =>
  ((one?.start_pts ?? 0) - (two?.start_pts ?? 0)) / 90;

/** Codec, first time and count of each track, as ffprobe reads them; sorted by codec. */
async function tracksOf(bytes: Buffer): Promise<readonly Probed[]> {
  const entries = 'stream=codec_name,start_pts,nb_read_packets';
  const args = `-v error -count_packets -show_entries ${entries} -of json -`;
  const child = spawn('ffprobe', args.split(' '));
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  const parts: Buffer[] = [];
  for await (const part of child.stdout) parts.push(part as Buffer);
  const { streams } = JSON.parse(Buffer.concat(parts).toString()) as { streams: Probed[] };
  return streams.toSorted((a, b) => a.codec_name.localeCompare(b.codec_name));
}
