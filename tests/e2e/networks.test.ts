import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { file, liveTs, slowHeaders, status, text } from '../../scripts/faultd.d/fake-provider.ts';
import { NetworkApp } from '../support/network-app.ts';
import { decode, playWithFfmpeg } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';

const stage = useProduct({ env: { BROADCAST_START_RETRY_COOLDOWN: '60' } });
const folder = mkdtempSync(join(tmpdir(), 'penstock-networks-'));
const titled = join(folder, 'titled.mkv');

const TITLES = `1
00:00:00,500 --> 00:00:01,500
First title

2
00:00:02,500 --> 00:00:03,500
Second title
`;

let app: NetworkApp;

beforeAll(async () => {
  app = await NetworkApp.open(stage.product);
  const titles = join(folder, 'titles.srt');
  writeFileSync(titles, TITLES);
  const inputs = ['-i', stage.media.mkv, '-i', titles, '-map', '0:v', '-map', '0:a', '-map', '1:s'];
  const output = ['-c', 'copy', '-c:s', 'srt', '-metadata:s:s:0', 'language=eng', titled];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...output], { timeout: 20_000 });
  app.provider.setRoute('/film.mkv', file(stage.media.mkv));
  app.provider.setRoute('/film.mp4', file(stage.media.mp4));
  app.provider.setRoute('/titled.mkv', file(titled));
  app.provider.setRoute('/titles.srt', text(TITLES));
  app.provider.setRoute('/live.ts', liveTs(stage.main));
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** FFmpeg with this process id, which works for us. */
const ffmpegOf = (pid: unknown) =>
  stage.product
    .processes()
    .find((found) => found.pid === pid && found.command.startsWith('ffmpeg '));

/** A test that is tried again finds nothing of its first try. */
const fresh = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

const urlOf = (id: string): string => `${stage.product.url}/broadcast/${id}/live.m3u8`;

async function segmentOf(id: string, number: number): Promise<Buffer> {
  const name = `live${String(number).padStart(6, '0')}.ts`;
  const response = await fetch(`${stage.product.url}/m3u-proxy/broadcast/${id}/segment/${name}`);
  expect(response.headers.get('content-type')).toBe('video/mp2t');
  return Buffer.from(await response.arrayBuffer());
}

/** Each side of a seam by its packets, and both as a player that knows the address gets them. */
async function playsWhole(id: string, seam: number): Promise<void> {
  const numbers = (await app.listed(id)).map((_number, at) => at);
  const media = await Promise.all(numbers.map((number) => segmentOf(id, number)));
  for (const side of [media.slice(0, seam), media.slice(seam)]) {
    const { complaints, pictures } = await decode(Buffer.concat(side));
    expect(complaints).toEqual([]);
    expect(pictures).toBeGreaterThan(25);
  }
  // FFmpeg takes no notice of discontinuities, but to say that times step.
  const input = ['-live_start_index', '0'];
  const played = await playWithFfmpeg(urlOf(id), { seconds: 4, input });
  expect(played.complaints.filter((line) => !/corrupt|out of order/.test(line))).toEqual([]);
  expect(played.pictures).toBeGreaterThan(60);
}

async function hasSubtitles(id: string, segments: number): Promise<void> {
  const list = await app.playlist(id, 'live_vtt.m3u8');
  expect(list.match(/^live\d{6}\.vtt$/gm)).toHaveLength(segments);
  const names = list.match(/^live\d{6}\.vtt$/gm) ?? [];
  const texts = await Promise.all(names.map((name) => app.playlist(id, name)));
  for (const one of texts) expect(one).toMatch(/^WEBVTT/);
  const first = texts.filter((one) => one.includes('First title'));
  // Of the track within, and of the file of its own.
  expect(first.length).toBeGreaterThan(1);
  expect(texts.some((one) => one.includes('Second title'))).toBe(true);
  expect(first[0]).toContain('X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:126000');
}

describe.concurrent('the way of m3u-editor', () => {
  it('starts, plays, is told of the end, starts the next within the callback, and stops', async () => {
    const id = fresh('a1b2-editor');
    const started = await app.start(id, {
      stream_url: app.provider.url('/film.mkv'),
      seek_seconds: 0,
      duration_seconds: 3,
      segment_start_number: 0,
      add_discontinuity: false,
      hls_list_size: 20,
      transcode: false,
      video_bitrate: null,
      audio_bitrate: 192,
      preferred_audio_language: null,
      subtitles_enabled: false,
      next_stream_config: null,
      output_dir: null,
      headers: { 'X-Plex-Token': 'very-secret' },
      metadata: [],
    });
    expect(started).toMatchObject({
      status: 200,
      body: { network_id: id, status: 'running', ffmpeg_pid: expect.any(Number) },
    });
    expect(ffmpegOf(started.body['ffmpeg_pid'])).toBeDefined();
    const commands = stage.product.processes().map(({ command }) => command);
    expect(commands.join('\n')).not.toMatch(/film\.mkv|secret|Plex|127\.0\.0\.1:/);
    // Other networks ask for the film too, at the same time.
    const tokens = app.provider
      .requestsOf('/film.mkv')
      .map(({ headers }) => headers['x-plex-token']);
    expect(tokens).toContain('very-secret');

    const answers: unknown[] = [];
    app.handle = async ({ network_id: about, data }) => {
      if (about !== id || answers.length > 0) return;
      const { body } = await app.start(id, {
        stream_url: app.provider.url('/film.mp4'),
        seek_seconds: 2,
        segment_start_number: Number(data['final_segment_number']) + 1,
        add_discontinuity: true,
      });
      answers.push(body['status']);
    };
    const [told] = await app.untilTold(id);
    expect(told).toMatchObject({
      event: 'programme_ended',
      dvr_mode: false,
      hls_dir: null,
      data: { exit_code: 0, duration_streamed: expect.closeTo(3, 0) },
    });
    await app.until('the next programme runs', () => answers.length === 1);
    expect(answers).toEqual(['running']);
    const final = Number(told?.data['final_segment_number']);
    const listed = await app.untilListed(id, final + 3);
    expect(listed.slice(0, final + 3)).toEqual([
      ...Array.from({ length: final + 1 }, (_, number) => String(number)),
      `D${final + 1}`,
      String(final + 2),
    ]);
    await playsWhole(id, final + 1);

    const { ffmpeg_pid: pid } = await app.status(id);
    const stopped = await app.stop(id);
    expect(stopped).toMatchObject({ status: 200, body: { status: 'stopped', network_id: id } });
    const all = await app.listed(id);
    expect(stopped.body['final_segment_number']).toBe(all.length - 1);
    expect(await app.status(id)).toMatchObject({ status: 'stopped', ffmpeg_pid: null });
    expect(ffmpegOf(pid)).toBeUndefined();
    expect(await stage.product.api.delete(`/broadcast/${id}`)).toMatchObject({ status: 200 });
    expect(await app.playlist(id)).toBe('');
    expect(app.of(id)).toHaveLength(1);
  });
});

describe.concurrent('a running network', () => {
  it('goes over to what is started on it, with the old segments kept', async () => {
    const id = fresh('over');
    await app.start(id, { stream_url: app.provider.url('/film.mkv') });
    await app.untilListed(id, 2);
    const again = await app.start(id, {
      stream_url: app.provider.url('/titled.mkv'),
      transcode: true,
      preset: 'ultrafast',
      video_resolution: '160x90',
      preferred_audio_language: 'xx',
      subtitles_enabled: true,
      subtitle_language: 'en',
      next_stream_config: {
        stream_url: app.provider.url('/film.mp4'),
        duration_seconds: 1.5,
        subtitles_enabled: true,
        subtitle_url: app.provider.url('/titles.srt'),
      },
      duration_seconds: 4,
    });
    expect(again.status).toBe(200);
    const listed = await app.untilListed(id, 5);
    expect(listed[0]).toBe('0');
    const seam = listed.findIndex((number) => number.startsWith('D'));
    expect(seam).toBeGreaterThan(1);
    expect(listed[seam]).toBe(`D${seam}`);
    // A language that is not there did not keep it from being shown.
    const told = await app.untilTold(id, 2);
    expect(told[0]?.data).toMatchObject({
      auto_transitioned: true,
      new_pid: expect.any(Number),
      exit_code: 0,
    });
    expect(told[1]?.data).not.toHaveProperty('auto_transitioned');
    expect(told.map(({ event }) => event)).toEqual(['programme_ended', 'programme_ended']);
    const all = await app.listed(id);
    expect(all.map((number) => Number(number.replace('D', '')))).toEqual(
      all.map((_number, index) => index),
    );
    expect(all.filter((number) => number.startsWith('D'))).toHaveLength(2);
    await hasSubtitles(id, all.length);
  });
});

describe.concurrent('a recording', () => {
  it('keeps all, goes on with what is there, and stays until it is deleted', async () => {
    const id = fresh('recording');
    const body = {
      stream_url: app.provider.url('/live.ts'),
      dvr_mode: true,
      hls_list_size: 0,
      duration_seconds: 600,
      metadata: { type: 'dvr', recording_db_id: 7 },
    };
    const { body: started } = await app.start(id, body);
    await app.untilListed(id, 2);
    // The source breaks off: nobody is told, the recording goes on.
    app.provider.cut('/live.ts', 'reset');
    await app.until('there is a seam', async () => (await app.listed(id)).join().includes('D'));
    await app.stop(id);
    const before = await app.listed(id);
    await app.start(id, body);
    await app.untilListed(id, before.length + 2);
    const after = await app.listed(id);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after[before.length]).toBe(`D${before.length}`);
    expect(app.of(id)).toEqual([]);
    await app.stop(id);
    const path = String(started['hls_dir']);
    expect(readdirSync(path).filter((name) => name.endsWith('.ts'))).toHaveLength(
      (await app.listed(id)).length,
    );
    await stage.product.api.delete(`/broadcast/${id}`);
    expect(existsSync(path)).toBe(false);
  });
});

describe.concurrent('a programme that breaks off for good', () => {
  it('is told once, as the failure that it is, when nothing of it comes any more', async () => {
    const id = fresh('breaks');
    app.provider.setRoute('/breaks.ts', liveTs(stage.main));
    await app.start(id, { stream_url: app.provider.url('/breaks.ts') });
    const before = await app.untilListed(id, 1);
    app.provider.setFault('/breaks.ts', status(503));
    app.provider.cut('/breaks.ts', 'reset');
    const [told] = await app.untilTold(id);
    expect(told).toMatchObject({
      event: 'broadcast_failed',
      data: { exit_code: 1, error: expect.stringMatching(/503 \(Server Error\)/) },
    });
    expect(told?.data).not.toHaveProperty('error_type');
    expect(Number(told?.data['final_segment_number'])).toBeGreaterThanOrEqual(before.length - 1);
    expect(await app.status(id)).toMatchObject({ status: 'failed', ffmpeg_pid: null });
    expect(await app.listed(id)).not.toEqual([]);
  });
});

describe.concurrent('a programme from behind the end of its film', () => {
  it('has failed: an app that is told of its end would start it again at once', async () => {
    const id = fresh('beyond');
    app.provider.setRoute('/film.ts', file(stage.media.main));
    await app.start(id, { stream_url: app.provider.url('/film.ts'), seek_seconds: 9000 });
    await eventually('it has failed', async () => (await app.status(id))['status'] === 'failed');
    expect((await app.status(id))['error_message']).toMatch(/nothing that can be shown/);
    expect(app.of(id).map(({ event }) => event)).not.toContain('programme_ended');
  });
});

describe.concurrent('networks at once', () => {
  it('do not wait for one another, and a source that hangs holds up its own only', async () => {
    app.provider.setRoute('/hangs.ts', liveTs(stage.main));
    app.provider.setFault('/hangs.ts', slowHeaders(30_000));
    const hanging = app.start('hangs', { stream_url: app.provider.url('/hangs.ts') });
    const ids = ['one', 'two'];
    const stream_url = app.provider.url('/film.mkv');
    const startedAt = performance.now();
    const answers = await Promise.all(ids.map((id) => app.start(id, { stream_url })));
    expect(answers.map(({ status: code }) => code)).toEqual([200, 200]);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    const pids = answers.map(({ body }) => body['ffmpeg_pid']);
    expect(pids.map(ffmpegOf)).toEqual([expect.anything(), expect.anything()]);
    await stage.product.api.delete('/broadcast/hangs');
    expect((await hanging).status).toBe(409);
    const { body } = await stage.product.api.get('/broadcast');
    const listed = body['broadcasts'] as readonly Readonly<Record<string, unknown>>[];
    expect(listed).toEqual(
      expect.arrayContaining(
        ids.map((id) => expect.objectContaining({ network_id: id, status: 'running' })),
      ),
    );
    await Promise.all(ids.map((id) => stage.product.api.delete(`/broadcast/${id}`)));
    expect(pids.map(ffmpegOf)).toEqual([undefined, undefined]);
  });
});

describe.concurrent('a start that fails', () => {
  it('says why, names the network, and has to wait after the third time', async () => {
    app.provider.setFault('/broken', status(503));
    const start = () => app.start('broken', { stream_url: app.provider.url('/broken') });
    for (let tries = 0; tries < 3; tries += 1) {
      const { status: code, body } = await start();
      expect([code, body['code']]).toEqual([500, 'NETWORK_START_FAILED']);
      expect(body['detail']).toMatch(/broken.*503 \(Server Error\)/);
    }
    const { status: code, body, headers } = await start();
    expect([code, body['code']]).toEqual([500, 'NETWORK_START_THROTTLED']);
    expect(body['detail']).toMatch(/try again in \d+ seconds/);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(30);
    expect(app.of('broken')).toEqual([]);
  });
});
