import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { file, liveTs, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { playWithFfmpeg } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';

const LIBRARY = createRequire(import.meta.url).resolve('hls.js');

const PAGE = `<!doctype html><video id="video" muted></video><script src="/hls.js"></script>
<script>
  const video = document.getElementById('video');
  const fatal = [];
  const seen = new Set();
  let turns = 0;
  const player = new Hls({ startLevel: 0 });
  player.on(Hls.Events.ERROR, (_, { fatal: ends, details }) => ends && fatal.push(details));
  player.on(Hls.Events.FRAG_CHANGED, (_, { frag }) => { seen.add(frag.level); turns = frag.cc; });
  player.loadSource(new URL(location.href).searchParams.get('stream'));
  player.attachMedia(video);
  player.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  const state = () => ({
    at: video.currentTime, fatal, turns, seen: [...seen], height: video.videoHeight,
    levels: player.levels.map(({ height, codecSet, videoCodec, bitrate, frameRate }) =>
      ({ height, codecSet, videoCodec, bitrate, frameRate })),
    pictures: video.getVideoPlaybackQuality().totalVideoFrames,
    failure: video.error?.message ?? null,
  });
</script>`;
const PATIENCE = { state: 'state()', deadlineMs: 20_000 };

const stage = useProduct({
  env: { SHARED_STREAM_GRACE: '0.2', STREAM_RETRY_DELAY: '0.2', HLS_SEGMENT_SECONDS: '1' },
});
let browser: Browser;
let site: FakeProvider;

beforeAll(async () => {
  browser = await Browser.start();
  site = await startFakeProvider({
    '/page': text(PAGE, 'text/html'),
    '/hls.js': file(LIBRARY, { contentType: 'text/javascript' }),
  });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const SMALL =
  '-i {input_url} -c:v libx264 -preset ultrafast -vf "scale=160:90" -b:v 200k -c:a aac -b:a 64k -f hls -hls_time 1 -hls_segment_type fmp4 {output_args|index.m3u8}';
const LADDER = {
  profile: 'default',
  output_format: 'hls_fmp4',
  profile_variables: { output_args: '-hls_time 1 pipe:1' },
  renditions: [
    { height: 90, video_bitrate: '150k' },
    { height: 180, video_bitrate: '600k' },
  ],
};

async function transcode(body: Record<string, unknown>): Promise<{ id: string; url: string }> {
  const answer = await stage.product.api.post('/transcode', body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  expect(answer.body).toMatchObject({ format: 'hls', segment_format: 'fmp4' });
  const id = String(answer.body['stream_id']);
  return { id, url: `${stage.product.url}/hls/${id}/playlist.m3u8` };
}

const ffmpegs = () =>
  stage.product.processes().filter(({ command }) => command.startsWith('ffmpeg '));

const noneIsLeft = (): Promise<void> =>
  eventually('no FFmpeg is left', () => ffmpegs().length === 0);

/** ffmpeg reads the same map again with each reload of a live list, and says so. */
const MAP_AGAIN = /Found duplicated MOOV Atom|Last message repeated/;

async function playedByFfmpeg(url: string) {
  const played = await playWithFfmpeg(url, { seconds: 2 });
  return { ...played, complaints: played.complaints.filter((line) => !MAP_AGAIN.test(line)) };
}

const play = (url: string): Promise<Page> =>
  browser.open(`${site.url('/page')}?stream=${encodeURIComponent(url)}`);

type State = { readonly at: number; readonly pictures: number; readonly levels: readonly object[] };
const stateOf = async (page: Page): Promise<State> => (await page.evaluate('state()')) as State;
const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

describe('a transcode with segments of fragmented MP4', () => {
  it('plays in ffmpeg and hls.js, on over a killed run, and is gone with its stream', async () => {
    await using provider = await startFakeProvider({ '/secret/live.ts': liveTs(stage.main) });
    const { id, url } = await transcode({ url: provider.url('/secret/live.ts'), profile: SMALL });
    const page = await play(url);
    await page.until('video.currentTime > 0.3', PATIENCE);
    const playlist = await textOf(url);
    expect(playlist).toMatch(/#EXT-X-MAP:URI="segment\.mp4\?h=p\.[\w-]+/);
    expect(playlist).toMatch(/^segment\.m4s\?h=p\.[\w-]+/m);
    expect(playlist).not.toMatch(/secret|127\.0\.0\.1/);
    const played = await playedByFfmpeg(url);
    expect(played).toMatchObject({ exitCode: 0, complaints: [] });
    expect(played.pictures).toBeGreaterThan(40);

    const [running] = ffmpegs();
    expect(ffmpegs()).toHaveLength(1);
    const turns = String(await page.evaluate('turns'));
    process.kill(running?.pid ?? 0, 'SIGKILL');
    const isReplaced = /#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=/;
    await eventually(
      'the next run is listed, with a map of its own',
      async () => isReplaced.test(await textOf(url)),
      15_000,
    );
    await page.until(`turns > ${turns}`, PATIENCE);
    const before = await stateOf(page);
    await page.until(`video.currentTime > ${before.at + 1.5}`, PATIENCE);
    const after = await stateOf(page);
    expect(after).toMatchObject({ fatal: [], failure: null });
    expect(after.pictures - before.pictures).toBeGreaterThan(20);
    const replaced = await textOf(url);

    const redirected = await fetch(`${stage.product.url}/stream/${id}`, { redirect: 'manual' });
    expect(redirected.status).toBe(302);
    expect(redirected.headers.get('location')).toContain(`/hls/${id}/playlist.m3u8`);

    const [segment = ''] = replaced.split('\n').filter((line) => line.startsWith('segment.m4s'));
    await stage.product.api.delete(`/streams/${id}`);
    expect((await fetch(new URL(segment, url))).status).toBe(404);
    await page.evaluate('player.destroy()');
    await noneIsLeft();
  });
});

describe('a ladder', () => {
  it('comes from one run, and hls.js switches between its sizes', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id, url } = await transcode({ url: provider.url('/live.ts'), ...LADDER });
    const page = await play(url);
    await page.until('video.currentTime > 0.5', PATIENCE);
    expect(ffmpegs()).toHaveLength(1);
    expect((await stateOf(page)).levels).toMatchObject([
      { height: 90, videoCodec: expect.stringMatching(/^avc1\./), frameRate: 25 },
      { height: 180, videoCodec: expect.stringMatching(/^avc1\./), frameRate: 25 },
    ]);
    await page.evaluate('player.nextLevel = 1');
    await page.until('video.videoHeight === 180', PATIENCE);
    await page.evaluate('player.nextLevel = 0');
    await page.until('video.videoHeight === 90', PATIENCE);
    expect(await stateOf(page)).toMatchObject({ fatal: [], failure: null, seen: [0, 1] });
    expect(await playedByFfmpeg(url)).toMatchObject({ exitCode: 0, complaints: [] });
    await page.evaluate('player.destroy()');
    await stage.product.api.delete(`/streams/${id}`);
    await noneIsLeft();
  });

  it('is refused where there is nothing to make it of', async () => {
    const answer = await stage.product.api.post('/transcode', {
      url: 'http://127.0.0.1:9/live.ts',
      profile: 'audio',
      renditions: [{ height: 90, video_bitrate: '150k' }],
    });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'INPUT_INVALID' });
  });
});
