import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { PacketAligner, TsAnalyser } from '#mpegts';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';
import type { Viewer } from '../support/viewer.ts';
import { wholePictures } from '../support/whole-pictures.ts';

const stage = useProduct({
  env: { SHARED_STREAM_GRACE: '0', TRANSCODE_CPU_SLOTS: '8', TRANSCODE_START_TIMEOUT: '30' },
});

/** As ffprobe has it. */
type Track = {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
};
type Packet = { readonly pts_time?: string; readonly flags: string; readonly size: string };
type Found = { readonly streams: readonly Track[]; readonly packets: readonly Packet[] };

function probed(media: Buffer, only: 'v' | 'a'): Found {
  const args = `-v error -select_streams ${only} -show_streams -show_packets -of json -`;
  const options = { input: media, timeout: 20_000, maxBuffer: 64 * 1024 * 1024 };
  return JSON.parse(execFileSync('ffprobe', args.split(' '), options).toString()) as Found;
}

const secondsOf = ({ packets }: Found): number => {
  const times = packets.map(({ pts_time: time }) => Number(time)).filter(Number.isFinite);
  return Math.max(...times) - Math.min(...times);
};

/** The time from each keyframe to the next. */
function keyframeSteps({ packets }: Found): readonly number[] {
  const keys = packets.filter(({ flags }) => flags.startsWith('K'));
  const times = keys.map(({ pts_time: time }) => Number(time));
  return times.slice(1).map((time, at) => time - (times[at] ?? 0));
}

const kbpsOf = (found: Found): number =>
  found.packets.reduce((sum, { size }) => sum + Number(size), 0) / 125 / secondsOf(found);

const noneIsLeft = (): Promise<void> =>
  eventually(
    'no FFmpeg is left',
    () => !stage.product.processes().some(({ command }) => command.startsWith('ffmpeg ')),
  );

/** What a profile makes of a small source, until `isEnough` of it has come. */
async function madeBy(
  request: Readonly<Record<string, unknown>>,
  isEnough: (viewer: Viewer) => boolean,
): Promise<Buffer> {
  await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
  const { body } = await stage.product.api.post('/transcode', {
    url: provider.url('/live.ts'),
    profile_variables: { video_bitrate: '300k', crf: '40' },
    ...request,
  });
  const id = String(body['stream_id']);
  await using viewer = watch(`${stage.product.url}/stream/${id}`);
  await viewer.started(30_000);
  expect(viewer.status).toBe(200);
  await viewer.until(() => isEnough(viewer), 50_000);
  viewer.leave();
  await stage.product.api.delete(`/streams/${id}`);
  return viewer.body();
}

/** So many keyframes have come; looked at now and then. */
function keyframes(count: number): (viewer: Viewer) => boolean {
  const scan = new KeyframeCount();
  let seen = 0;
  return (viewer) => {
    if (viewer.bytes - seen < LOOK_EVERY_BYTES) return false;
    const media = viewer.body();
    scan.push(media.subarray(seen));
    seen = media.length;
    return scan.count >= count;
  };
}

const LOOK_EVERY_BYTES = 10_000;

class KeyframeCount {
  readonly #aligner = new PacketAligner();
  readonly #analyser = new TsAnalyser();
  count = 0;

  push(bytes: Buffer): void {
    this.#analyser.push(this.#aligner.align(bytes).map((part) => Buffer.from(part)));
    this.count += this.#analyser.keyframeStarts.length;
  }
}

const bytes =
  (count: number) =>
  (viewer: Viewer): boolean =>
    viewer.bytes >= count;

/** What the source has. */
const AS_IT_IS = { width: expect.any(Number), height: expect.any(Number) };

afterAll(noneIsLeft);

describe.concurrent('a built-in profile', () => {
  it.each([
    ['default', { codec_name: 'h264', ...AS_IT_IS }, 300],
    ['hq', { codec_name: 'h264', ...AS_IT_IS }, undefined],
    ['lowlatency', { codec_name: 'h264', ...AS_IT_IS }, 1000],
    ['720p', { codec_name: 'h264', width: 1280, height: 720 }, 2500],
    ['1080p', { codec_name: 'h264', width: 1920, height: 1080 }, 5000],
    ['hevc', { codec_name: 'hevc', ...AS_IT_IS }, 2000],
  ] as const)('%s has its codec, size, rate and keyframes', async (profile, track, kbps) => {
    // Large pictures take a while on small machines; what they begin with is the same.
    const isLarge = profile === '720p' || profile === '1080p';
    const media = wholePictures(await madeBy({ profile }, keyframes(isLarge ? 2 : 3)));
    const pictures = probed(media, 'v');
    expect(pictures.streams).toMatchObject([track]);
    expect(probed(media, 'a').streams).toMatchObject([{ codec_name: 'aac' }]);
    const steps = keyframeSteps(pictures);
    expect(steps.length).toBeGreaterThan(isLarge ? -1 : 0);
    for (const step of steps) expect(step).toBeCloseTo(2, 1);
    if (kbps !== undefined) expect(kbpsOf(pictures)).toBeLessThan(kbps * 2);
  });

  it('audio has sound alone', async () => {
    const media = await madeBy({ profile: 'audio', output_format: 'adts' }, bytes(60_000));
    expect(probed(media, 'v').streams).toEqual([]);
    const sound = probed(media, 'a');
    expect(sound.streams).toMatchObject([{ codec_name: 'aac' }]);
    expect(kbpsOf(sound)).toBeLessThan(192 * 1.5);
  });
});

const COPY_VIDEO = '-i {input_url} -c:v copy';
const SMALL_VIDEO = '-i {input_url} -c:v libx264 -preset ultrafast -vf scale=160:90 -b:v 200k';

describe.concurrent('an output', () => {
  it.each([
    ['mpegts', `${COPY_VIDEO} -c:a copy -f mpegts pipe:1`, 'video/mp2t', ['h264', 'aac']],
    ['mp4', `${SMALL_VIDEO} -c:a aac -f mp4 pipe:1`, 'video/mp4', ['h264', 'aac']],
    ['matroska', `${SMALL_VIDEO} -c:a aac -f matroska -`, 'video/x-matroska', ['h264', 'aac']],
    ['flv', `${SMALL_VIDEO} -c:a aac -ar 44100 -f flv -`, 'video/x-flv', ['h264', 'aac']],
    [
      'mpeg',
      '-i {input_url} -c:v mpeg2video -c:a mp2 -f mpeg -',
      'video/mpeg',
      ['mpeg2video', 'mp2'],
    ],
    ['adts', '-i {input_url} -vn -c:a aac -f adts -', 'audio/aac', ['aac']],
    ['mp3', '-i {input_url} -vn -c:a libmp3lame -f mp3 -', 'audio/mpeg', ['mp3']],
  ] as const)('%s is what it says', async (_name, profile, contentType, codecs) => {
    let type: string | undefined;
    const media = await madeBy({ profile }, (viewer) => {
      type = viewer.headers['content-type'];
      return viewer.bytes >= 30_000;
    });
    expect(type).toBe(contentType);
    const found = [...probed(media, 'v').streams, ...probed(media, 'a').streams];
    expect(found.map(({ codec_name: codec }) => codec)).toEqual(codecs);
  });
});
