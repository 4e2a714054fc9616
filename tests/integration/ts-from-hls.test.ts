import { beforeAll, describe, expect, it } from 'vitest';
import { folder, hlsLive, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import type { Media } from '../../scripts/faultd.d/media.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { startPlayback } from '../support/playback-bench.ts';
import type { PlaybackOptions } from '../support/playback-bench.ts';
import { decode } from '../support/players.ts';
import { wholeUnitsOf } from '../support/splice-check.ts';
import { Viewer } from '../support/viewer.ts';

let made: Media;
let main: LoopedTs;
let other: LoopedTs;

beforeAll(async () => {
  made = await media();
  main = await LoopedTs.open(made.main, made.durationMs);
  other = await LoopedTs.open(made.other, made.durationMs);
});

const start = (options: Omit<PlaybackOptions, 'routes'> = {}) =>
  startPlayback({
    converts: 'all',
    ...options,
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });

describe('a transport stream from HLS', () => {
  it.each([
    ['clear', false],
    ['encrypted', true],
  ])('is made of a live playlist: %s', async (_name, encrypted) => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(main, { encrypted }) });
    await using playback = await start();
    const id = await playback.create(provider.url('/l/index.m3u8'));
    await using viewer = new Viewer(`${playback.base}/stream/${id}`);
    await viewer.reached(800_000);
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
    await viewer.more(900_000);
    viewer.leave();
    expect(checkTs(viewer.body())).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    expect((await decode(wholeUnitsOf(viewer.body()))).complaints).toEqual([]);
  });
});
