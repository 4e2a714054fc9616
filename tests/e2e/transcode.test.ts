import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { file, liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { playWithFfmpeg, toneAtEnd } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';
import { complaintsOf, wholePictures } from '../support/whole-pictures.ts';

const stage = useProduct({
  env: { SHARED_STREAM_GRACE: '0.2', TRANSCODE_SLOTS: '2', STREAM_RETRY_DELAY: '0.2' },
});

const folder = mkdtempSync(join(tmpdir(), 'penstock-film-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Small and quick, so that the tests are about us and not about x264. */
const SMALL_CODECS =
  '-i {input_url} -c:v libx264 -preset ultrafast -vf "scale=160:90" -b:v {video_bitrate|200k} -c:a aac -b:a 64k';
const SMALL = `${SMALL_CODECS} -f mpegts {output_args|pipe:1}`;
const A_SECOND = 40_000;

type Created = {
  readonly id: string;
  readonly url: string;
  readonly body: Record<string, unknown>;
};

async function transcode(stream: Record<string, unknown>): Promise<Created> {
  const { status, body } = await stage.product.api.post('/transcode', {
    profile: SMALL,
    ...stream,
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
  const id = String(body['stream_id']);
  return { id, url: `${stage.product.url}/stream/${id}`, body };
}

/** Every FFmpeg that works for us. */
const ffmpegs = () =>
  stage.product.processes().filter(({ command }) => command.startsWith('ffmpeg '));

const noneIsLeft = (): Promise<void> =>
  eventually('no FFmpeg is left', () => ffmpegs().length === 0);

type Run = Readonly<Record<string, unknown>>;

async function runsOf(id: string): Promise<readonly Run[]> {
  const { body } = await stage.product.api.get(`/streams/${id}`);
  return body['transcode_runs'] as readonly Run[];
}

type Track = Readonly<Record<string, unknown>>;

function tracksOf(media: Buffer): readonly Track[] {
  const args = ['-v', 'quiet', '-show_streams', '-of', 'json', '-'];
  const text = execFileSync('ffprobe', args, { input: media, timeout: 10_000 }).toString();
  return (JSON.parse(text) as { readonly streams: readonly Track[] }).streams;
}

/** As FFmpeg writes mp4 where nobody tells it to put the index first. */
function indexedAtEnd(): string {
  const path = join(folder, 'film.mp4');
  const args = [
    '-v',
    'error',
    '-i',
    stage.media.mkv,
    '-c',
    'copy',
    '-movflags',
    '-faststart',
    path,
  ];
  execFileSync('ffmpeg', args, { timeout: 20_000 });
  return path;
}

const SMALL_TRACKS = expect.arrayContaining([
  expect.objectContaining({ codec_name: 'h264', width: 160, height: 90 }),
  expect.objectContaining({ codec_name: 'aac' }),
]);

describe('a transcoded stream', () => {
  it('is made by one FFmpeg for all who come in one tick, and ends after the last', async () => {
    await using provider = await startFakeProvider({ '/u/secret.ts': liveTs(stage.main) });
    const { id, url, body } = await transcode({
      url: provider.url('/u/secret.ts'),
      metadata: { profile_id: 7 },
    });
    expect(body['metadata']).toMatchObject({ transcoding: 'true', profile_id: '7' });
    const viewers = Array.from({ length: 20 }, () => watch(url));
    await Promise.all(viewers.map((viewer) => viewer.reached(A_SECOND, 15_000)));
    const running = ffmpegs();
    expect(running.map(({ command }) => command)).toHaveLength(1);
    expect(running[0]?.command).not.toMatch(/http|127\.0\.0\.1|Bearer|secret/);
    await eventually('the run has told of itself', async () =>
      (await runsOf(id)).some(({ frame }) => Number(frame) > 0),
    );
    for (const viewer of viewers) viewer.leave();
    await noneIsLeft();
    for (const viewer of [viewers[0], viewers[19]]) {
      const media = viewer?.body() ?? Buffer.alloc(0);
      expect(await complaintsOf(media)).toEqual([]);
      expect(tracksOf(media)).toEqual(SMALL_TRACKS);
    }
    expect(await runsOf(id)).toMatchObject([{ state: 'ended', error_code: null }]);
  });

  it('goes on with one FFmpeg when its source fails over', async () => {
    await using provider = await startFakeProvider({
      '/a.ts': liveTs(stage.main),
      '/b.ts': liveTs(stage.other),
    });
    const urls = { url: provider.url('/a.ts'), failover_urls: [provider.url('/b.ts')] };
    const { id, url } = await transcode(urls);
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    const [before] = ffmpegs();
    const { status } = await stage.product.api.post(`/streams/${id}/failover`);
    expect(status).toBe(200);
    await viewer.more(4 * A_SECOND, 15_000);
    expect(ffmpegs().map(({ pid }) => pid)).toEqual([before?.pid]);
    expect(await complaintsOf(viewer.body())).toEqual([]);
    expect(await toneAtEnd(wholePictures(viewer.body()))).toBeGreaterThan(900);
    expect(await runsOf(id)).toHaveLength(1);
    viewer.leave();
    await noneIsLeft();
  });

  it('goes on when FFmpeg or its worker is killed, or drains, without a seam', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id, url } = await transcode({ url: provider.url('/live.ts') });
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    process.kill(ffmpegs()[0]?.pid ?? 0, 'SIGKILL');
    await viewer.more(2 * A_SECOND, 15_000);
    const [orphan] = ffmpegs();
    await stage.product.killAndAwaitReturn('worker');
    await eventually('the FFmpeg of the dead worker is gone', () =>
      ffmpegs().every(({ pid }) => pid !== orphan?.pid),
    );
    await viewer.more(2 * A_SECOND, 20_000);
    process.kill(stage.product.pid('worker'), 'SIGTERM'); // As when a new version is rolled out.
    await viewer.more(3 * A_SECOND, 20_000);
    expect(await complaintsOf(viewer.body())).toEqual([]);
    expect((await runsOf(id)).map(({ error_reason: reason }) => reason)).toEqual([
      'killed',
      'worker_lost',
      'drained',
      null,
    ]);
    viewer.leave();
    await noneIsLeft();
  });

  it.each([
    ['mp4', `${SMALL_CODECS} -f mp4 {output_args}`, 'video/mp4', 'h264'],
    ['sound alone', 'audio', 'audio/aac', 'aac'],
  ])('comes as %s', async (_name, profile, contentType, codec) => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const output = profile === 'audio' ? { output_format: 'adts' } : {};
    const { url } = await transcode({ url: provider.url('/live.ts'), profile, ...output });
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    expect(viewer.headers['content-type']).toBe(contentType);
    expect(tracksOf(viewer.body())).toEqual(
      expect.arrayContaining([expect.objectContaining({ codec_name: codec })]),
    );
    viewer.leave();
    await noneIsLeft();
  });

  it('is made of a film at the speed at which it plays', async () => {
    await using provider = await startFakeProvider({
      '/movie/u/p/1.mkv': file(stage.media.mkv, { contentType: 'video/x-matroska' }),
    });
    const { url } = await transcode({ url: provider.url('/movie/u/p/1.mkv') });
    await using viewer = watch(url);
    await viewer.reached(A_SECOND, 15_000);
    expect(tracksOf(viewer.body())).toEqual(SMALL_TRACKS);
    viewer.leave();
    await noneIsLeft();
  });
});

describe('a transcoded stream as HLS', () => {
  it('is cut into segments that begin at keyframes, from an HLS source too', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const origin = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    const { id, body } = await transcode({
      url: `${stage.product.url}/hls/${origin}/playlist.m3u8`,
      profile: `${SMALL_CODECS} -f hls -hls_time 2 {output_args|index.m3u8}`,
      profile_variables: { output_args: 'index.m3u8' },
    });
    expect(body).toMatchObject({
      format: 'hls',
      playlist_url: `/hls/${id}/playlist.m3u8`,
    });
    const played = await playWithFfmpeg(`${stage.product.url}/hls/${id}/playlist.m3u8`, {
      seconds: 3,
    });
    expect(played).toMatchObject({ exitCode: 0, complaints: [] });
    expect(played.pictures).toBeGreaterThan(50);
    const { status } = await stage.product.api.delete(`/streams/${id}`);
    expect(status).toBe(200);
    await noneIsLeft();
  });
});

describe('who cannot be given a transcode', () => {
  it('is told why: arguments that no FFmpeg takes', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const profile = '-i {input_url} -c:v libnonsense -c:a copy -f mpegts pipe:1';
    const { id, url } = await transcode({ url: provider.url('/live.ts'), profile });
    await using viewer = watch(url);
    await viewer.started(15_000);
    expect(viewer.status).toBe(502);
    await viewer.ended();
    expect(JSON.parse(viewer.body().toString())).toMatchObject({ code: 'TRANSCODE_FAILED' });
    const [run] = await runsOf(id);
    expect(run).toMatchObject({ error_reason: 'encoder_missing' });
    expect(String(run?.['log'])).toContain('libnonsense');
  });

  it('is told why: a film whose index is at its end, which FFmpeg takes for empty', async () => {
    await using provider = await startFakeProvider({ '/movie/u/p/1.mp4': file(indexedAtEnd()) });
    const { id, url } = await transcode({ url: provider.url('/movie/u/p/1.mp4') });
    await using viewer = watch(url);
    await viewer.started(15_000);
    expect(viewer.status).toBe(502);
    expect(await runsOf(id)).toContainEqual(expect.objectContaining({ error_reason: 'input' }));
  });

  it('is told why: a source that does not answer', async () => {
    const { url } = await transcode({ url: 'http://127.0.0.1:9/live.ts' });
    await using viewer = watch(url);
    await viewer.started(15_000);
    expect(viewer.status).toBe(502);
    expect(ffmpegs()).toEqual([]);
  });

  it('is told to come again when every slot is taken', async () => {
    await using provider = await startFakeProvider({
      '/1.ts': liveTs(stage.main),
      '/2.ts': liveTs(stage.main),
      '/3.ts': liveTs(stage.main),
    });
    const viewers = [];
    for (const path of ['/1.ts', '/2.ts']) {
      const { url } = await transcode({ url: provider.url(path) });
      viewers.push(await watch(url).reached(1000, 15_000));
    }
    const { url } = await transcode({ url: provider.url('/3.ts') });
    await using late = watch(url);
    await late.started();
    expect(late.status).toBe(503);
    expect(late.headers['retry-after']).toBe('5');
    for (const viewer of viewers) viewer.leave();
    await noneIsLeft();
  });
});
