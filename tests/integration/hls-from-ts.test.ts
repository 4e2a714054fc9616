import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import {
  hlsLive,
  liveTs,
  redirect,
  startFakeProvider,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { startConversion } from '../support/conversion-bench.ts';
import { decode, playWithFfmpeg, probe } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

const run = promisify(execFile);

let main: LoopedTs;
let other: LoopedTs;

beforeAll(async () => {
  const { main: path, other: otherPath, durationMs } = await media();
  main = await LoopedTs.open(path, durationMs);
  other = await LoopedTs.open(otherPath, durationMs);
});

const textOf = async (url: string): Promise<string> => (await fetchOnce(url)).body().toString();

const linksOf = (playlist: string, url: string): readonly string[] =>
  [...playlist.matchAll(/^segment\.ts\?.+$/gm)].map(([link]) => new URL(link, url).href);

const MPEG2 =
  '-v error -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=sample_rate=48000 -t 2 ' +
  '-c:v mpeg2video -g 25 -bf 0 -c:a mp2 -f mpegts -mpegts_flags +pat_pmt_at_frames';

/** Media and discontinuity sequence numbers of a playlist. */
function numbersIn(playlist: string): { readonly media: number; readonly discontinuity: number } {
  const number = (tag: string): number =>
    Number(new RegExp(`^#EXT-X-${tag}:(\\d+)$`, 'm').exec(playlist)?.[1]);
  return { media: number('MEDIA-SEQUENCE'), discontinuity: number('DISCONTINUITY-SEQUENCE') };
}

describe.concurrent('HLS from a transport stream', () => {
  it('plays without a complaint, both tracks, over one upstream for all viewers', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 2 }) });
    await using playback = await startConversion();
    const id = await playback.create(provider.url('/a.ts'));
    const url = `${playback.base}/hls/${id}/playlist.m3u8`;
    const [played, tracks] = await Promise.all([playWithFfmpeg(url, { seconds: 3 }), probe(url)]);
    expect(played).toMatchObject({ complaints: [], exitCode: 0 });
    expect(played.pictures).toBeGreaterThan(60);
    expect(tracks).toEqual(['audio:aac', 'video:h264']);
    expect(provider.requests).toHaveLength(1);
  });

  it('cuts segments that are one stream when put together', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 4 }) });
    await using playback = await startConversion();
    const id = await playback.create(provider.url('/a.ts'));
    const url = `${playback.base}/hls/${id}/playlist.m3u8`;
    await eventually(
      'six segments',
      async () => linksOf(await textOf(url), url).length === 6,
      5000,
    );
    const links = linksOf(await textOf(url), url);
    const segments = await Promise.all(links.map((link) => fetchOnce(link)));
    for (const segment of segments) {
      expect(segment.status).toBe(200);
      expect(segment.headers['content-type']).toBe('video/mp2t');
      expect(segment.body().readUInt16BE(1) & 0x1fff).toBe(0);
    }
    const joined = Buffer.concat(segments.map((segment) => segment.body()));
    expect(checkTs(joined)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    expect((await decode(joined)).pictures).toBe(150);
  });

  it('goes on from a backup, with numbers that go on and no discontinuity where there is none', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 2 }) });
    await using backup = await startFakeProvider({ '/b.ts': liveTs(other, { speed: 2 }) });
    await using playback = await startConversion();
    const id = await playback.create(provider.url('/a.ts'), {
      failoverUrls: [backup.url('/b.ts')],
    });
    const url = `${playback.base}/hls/${id}/playlist.m3u8`;
    const playing = playWithFfmpeg(url, { seconds: 5 });
    await provider.until(() => provider.requests.length > 0);
    await eventually('segments', async () => linksOf(await textOf(url), url).length > 2, 5000);
    await provider.down();
    const played = await playing;
    expect(played).toMatchObject({ complaints: [], exitCode: 0 });
    expect(played.pictures).toBeGreaterThan(105);
    expect(await textOf(url)).not.toContain('#EXT-X-DISCONTINUITY\n');
    expect(backup.requests.length).toBe(1);
  });

  it('goes on with its own segments where the backup is a playlist', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 2 }) });
    await using backup = await startFakeProvider({ '/l/': hlsLive(other) });
    await using playback = await startConversion();
    const failoverUrls = [backup.url('/l/index.m3u8')];
    const id = await playback.create(provider.url('/a.ts'), { failoverUrls });
    const url = `${playback.base}/hls/${id}/playlist.m3u8?client_id=ann`;
    const before = numbersIn(await textOf(url));
    await provider.down();
    await eventually('the backup is read', () => backup.requests.length > 1, 5000);
    const grown = async (): Promise<boolean> => numbersIn(await textOf(url)).media > before.media;
    await eventually('segments of the backup', grown, 8000);
    expect(await textOf(url)).toMatch(/^segment\.ts\?h=p\./m);
    expect(numbersIn(await textOf(url)).discontinuity).toBe(before.discontinuity);
  });

  it('keeps to its source while a playlist is held ready beside it', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main) });
    await using backup = await startFakeProvider({ '/l/': hlsLive(other) });
    await using playback = await startConversion({ standby: 'hot', segmentMs: 500 });
    const failoverUrls = [backup.url('/l/index.m3u8')];
    const id = await playback.create(provider.url('/a.ts'), { failoverUrls });
    await using viewer = watch(`${playback.base}/stream/${id}`);
    await viewer.reached(100_000);
    await eventually('the standby has media', () => backup.requests.length > 1, 5000);
    expect(await textOf(`${playback.base}/hls/${id}/playlist.m3u8`)).toMatch(/h=p\./);
    const { currentUrl } = await playback.registry.get(asStreamId(id));
    expect(currentUrl).toBe(provider.url('/a.ts'));
  });

  it('marks a discontinuity where a backup has other tracks, and counts it when it has left', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-mpeg2-'));
    const path = join(folder, 'mpeg2.ts');
    await run('ffmpeg', [...MPEG2.split(' '), path]);
    const mpeg2 = await LoopedTs.open(path, 2000);
    await rm(folder, { recursive: true });
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 4 }) });
    await using backup = await startFakeProvider({ '/b.ts': liveTs(mpeg2, { speed: 4 }) });
    await using playback = await startConversion();
    const failoverUrls = [backup.url('/b.ts')];
    const id = await playback.create(provider.url('/a.ts'), { failoverUrls });
    const url = `${playback.base}/hls/${id}/playlist.m3u8`;
    const before = numbersIn(await textOf(url));
    await provider.down();
    const marked = async (): Promise<boolean> => /DISCONTINUITY\n/.test(await textOf(url));
    await eventually('a discontinuity', marked, 5000);
    expect(numbersIn(await textOf(url)).discontinuity).toBe(before.discontinuity);
    await eventually('it has left the list', async () => !(await marked()), 5000);
    const after = numbersIn(await textOf(url));
    expect(after.discontinuity).toBe(before.discontinuity + 1);
    expect(after.media).toBeGreaterThan(before.media);
  });

  it('ends the upstream when the last viewer is idle, and counts viewers as others', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 4 }) });
    await using playback = await startConversion({ viewerIdleMs: 300, segmentMs: 500 });
    const id = await playback.create(provider.url('/a.ts'));
    const url = `${playback.base}/hls/${id}/playlist.m3u8?client_id=ann`;
    const answer = await fetchOnce(url);
    expect(answer.headers['x-client-id']).toBe('ann');
    expect(playback.registry.viewers().map(({ clientId }) => clientId)).toEqual(['ann']);
    expect(provider.open()).toBe(1);
    await eventually('nobody reads', async () => provider.open() === 0, 6000);
    expect(playback.registry.viewers()).toEqual([]);
    const [link = ''] = linksOf(answer.body().toString(), url);
    expect((await fetchOnce(link)).status).toBe(404);
    expect((await fetchOnce(link.replace('h=p.', 'h=p.x'))).status).toBe(403);
  });

  it('takes part in the upstream that all viewers of a shared stream watch', async () => {
    await using provider = await startFakeProvider({ '/a.ts': liveTs(main, { speed: 4 }) });
    await using playback = await startConversion({ sharing: 'shared' });
    const id = await playback.create(provider.url('/a.ts'));
    await using viewer = watch(`${playback.base}/stream/${id}`);
    await viewer.reached(100_000);
    const playlist = await textOf(`${playback.base}/hls/${id}/playlist.m3u8`);
    expect(playlist).toContain('#EXTINF');
    expect(provider.maxOpen()).toBe(1);
  });

  it('leads to the playlist of a source that turns out to be one', async () => {
    await using provider = await startFakeProvider({
      '/l/': hlsLive(main),
      '/channel/1': redirect('/l/index.m3u8'),
    });
    await using playback = await startConversion();
    const id = await playback.create(provider.url('/channel/1'));
    const playlist = await textOf(`${playback.base}/hls/${id}/playlist.m3u8`);
    expect(playlist.match(/^segment\.ts/gm)).toHaveLength(5);
    await eventually('only the playlist is read', async () => provider.open() === 0, 2000);
  });

  it('answers with the failure of the source when there is nothing to cut', async () => {
    await using provider = await startFakeProvider({});
    await using playback = await startConversion();
    const id = await playback.create(provider.url('/nothing.ts'));
    const answer = await fetchOnce(`${playback.base}/hls/${id}/playlist.m3u8`);
    expect(answer.status).toBe(502);
  });
});
