import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { decode } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const stage = useProduct({ env: { SHARED_STREAM_GRACE: '0.2', LOG_LEVEL: 'debug' } });

/** Small and quick, so that the tests are about us and not about x264. */
const SMALL =
  '-i {input_url} -c:v libx264 -preset ultrafast -vf "scale=160:90" -b:v {video_bitrate|200k} -c:a aac -b:a 64k -f mpegts {output_args|pipe:1}';
const A_SECOND = 60_000;

const transcode = async (body: Record<string, unknown>): Promise<Record<string, unknown>> => {
  const answer = await stage.product.api.post('/transcode', body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};

/** FFmpeg processes that are about our output size. */
const ffmpegs = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.startsWith('ffmpeg ') && line.includes('-progress') ? [`${pid} ${line}`] : [];
      } catch {
        return [];
      }
    });

type Probed = { readonly streams: readonly Record<string, unknown>[] };

const probe = (media: Buffer): Probed =>
  JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', '-'], {
      input: media,
      timeout: 10_000,
    }).toString(),
  ) as Probed;

describe('a transcoded stream', () => {
  it('is made by one FFmpeg for all who come in one tick, and ends after the last', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { stream_id: id, metadata } = await transcode({
      url: provider.url('/live.ts'),
      profile: SMALL,
      metadata: { profile_id: 7 },
    });
    expect(metadata).toMatchObject({ transcoding: 'true', profile: 'custom', profile_id: '7' });
    const viewers = Array.from({ length: 20 }, () =>
      watch(`${stage.product.url}/stream/${String(id)}`),
    );
    await Promise.all(viewers.map((viewer) => viewer.reached(A_SECOND, 15_000)));
    expect(ffmpegs()).toHaveLength(1);
    expect(ffmpegs()[0]).not.toMatch(/http|127\.0\.0\.1|Bearer/);
    for (const viewer of viewers) viewer.leave();
    await eventually('FFmpeg has ended', () => ffmpegs().length === 0);
    const body = viewers[0]?.body() ?? Buffer.alloc(0);
    expect((await decode(body)).complaints).toEqual([]);
    expect(probe(body).streams).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ codec_name: 'h264', width: 160, height: 90 }),
        expect.objectContaining({ codec_name: 'aac' }),
      ]),
    );
    await pause(0);
  });
});
