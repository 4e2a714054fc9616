import { createRequire } from 'node:module';
import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import { liveTs, startFakeProvider, status } from '../../scripts/faultd.d/fake-provider.ts';
import { Browser, type Page } from '../support/browser.ts';
import { startPlayback, type Playback } from '../support/playback-bench.ts';
import { SOURCE_PAIRS } from '../support/proof-pairs.ts';

const LIBRARY = createRequire(import.meta.url).resolve('mpegts.js');

/** A page with one player, which keeps what goes wrong. */
const PAGE = `<!doctype html><video id="video" muted></video><script src="/mpegts.js"></script>
<script>
  const video = document.getElementById('video');
  const errors = [];
  const url = new URL(location.href).searchParams.get('stream');
  const player = mpegts.createPlayer({ type: 'mpegts', isLive: true, url }, { enableWorker: false });
  player.on(mpegts.Events.ERROR, (...error) => errors.push(error.slice(0, 2).join(' ')));
  player.attachMediaElement(video);
  player.load();
  player.play();
  const bufferedTo = () => (video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0);
  const state = () => ({
    at: video.currentTime, bufferedTo: bufferedTo(),
    pictures: video.getVideoPlaybackQuality().totalVideoFrames, failure: video.error?.message, errors,
  });
</script>`;

const STATE = { state: 'state()' };

let browser: Browser;
let playback: Playback;

beforeAll(async () => {
  browser = await Browser.start();
  playback = await startPlayback({
    stallMs: 500,
    outageLimitMs: 60_000,
    routes: (deps) =>
      Router()
        .get('/page', (_, res) => void res.type('html').send(PAGE))
        .get('/mpegts.js', (_, res) => res.sendFile(LIBRARY))
        .use(playbackRoutes({ ...deps, vod: {} as VodDelivery })),
  });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await playback[Symbol.asyncDispose]();
});

type State = {
  readonly at: number;
  readonly bufferedTo: number;
  readonly pictures: number;
};

const stateOf = async (page: Page): Promise<State> => (await page.evaluate('state()')) as State;

describe.concurrent('mpegts.js in Chromium plays on', () => {
  it.each([
    ['H.264, AAC', 'reset'],
    ['H.264 with B pictures, AAC', 'stall'],
    ['other picture sizes', 'eof'],
  ] as const)('%s: when the source breaks (%s)', async (name, how) => {
    const clips = new ClipStore();
    const pair = SOURCE_PAIRS.find((one) => one.name === name)!;
    await using provider = await startFakeProvider({
      '/a.ts': liveTs(await clips.open(pair.one)),
      '/b.ts': liveTs(await clips.open(pair.other)),
    });
    const id = await playback.create(provider.url('/a.ts'), {
      failoverUrls: [provider.url('/b.ts')],
    });
    const page = await browser.open(`${playback.base}/page?stream=/stream/${id}`);
    await page.until('video.currentTime > 0.3', STATE);
    provider.setFault('/a.ts', status(404));
    provider.cut('/a.ts', how);
    await provider.until(() => provider.requestsOf('/b.ts').length === 1, 10_000);
    const before = await stateOf(page);
    // Beyond what the first source can have sent.
    await page.until(`video.currentTime > ${before.bufferedTo + 1.5}`, STATE);
    const after = await stateOf(page);
    expect(after).toMatchObject({ errors: [] });
    expect(after).not.toHaveProperty('failure');
    expect(after.pictures).toBeGreaterThan(before.pictures);
  });
});
