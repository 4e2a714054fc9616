import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { NetworkDeps } from '#api/deps';
import { broadcastPlayback } from '#api/routes/broadcast.routes';
import { AppError, NotFoundError } from '#kernel/app-error';
import type { Network, StartRequest } from '#networks';
import { startApi } from '../support/api-under-test.ts';
import { noNetworks } from '../support/fake-networks.ts';
import { running } from '../unit/networks/network-of.ts';

const root = mkdtempSync(join(tmpdir(), 'penstock-api-broadcast-'));
const folder = join(root, 'broadcast_net1');
mkdirSync(folder);
writeFileSync(join(folder, 'live.m3u8'), '#EXTM3U\nlive000001.ts\n');
writeFileSync(join(folder, 'live000001.ts'), 'abcdefghij');
writeFileSync(join(folder, 'live000001.vtt'), 'WEBVTT\n');
writeFileSync(join(root, 'secret.ts'), 'secret');
afterAll(() => rmSync(root, { recursive: true }));

const asked: StartRequest[] = [];
const removed: (readonly string[])[] = [];
afterEach(() => {
  asked.length = removed.length = 0;
});

const known = async (id: string): Promise<Network> => {
  if (id === 'net1') return running({ folder });
  throw new NotFoundError('NETWORK_NOT_FOUND', { message: 'Broadcast not found' });
};

function networks(): NetworkDeps {
  const fake = noNetworks();
  return {
    files: { readText: async (path, name) => readFileSync(join(path, name), 'utf8') },
    folders: { folder: '/broadcasts', recordings: '/recordings' },
    networks: {
      start: async (request) => {
        asked.push(request);
        if (request.programme.streamUrl.includes('broken')) throw failedStart();
        return fake.networks.start(request);
      },
      stop: async (id) => ({ ...(await known(id)), state: 'stopped', lease: null }),
      find: known,
      folderOf: async (id) => (await known(id)).folder,
      list: async () => [running()],
      remove: async (_id, folders) => {
        removed.push(folders);
        return true;
      },
    },
  };
}

const failedStart = (): AppError =>
  new AppError('NETWORK_START_FAILED', { message: 'Network net1 did not start: no such source.' });

const api = (settings = {}) => {
  const deps = networks();
  return startApi({ networks: deps, delivery: [broadcastPlayback(deps)], settings });
};

/** As m3u-editor sends it: every key, numbers and words, empty maps as lists. */
const EDITORS_BODY = {
  stream_url: 'http://media.example/v/1.mkv?api_key=k#range=1000-',
  seek_seconds: 61,
  duration_seconds: 1800,
  segment_start_number: 43,
  add_discontinuity: true,
  segment_duration: 6,
  hls_list_size: 20,
  transcode: true,
  video_bitrate: '2500',
  audio_bitrate: 192,
  video_resolution: '1280x720',
  video_codec: null,
  audio_codec: null,
  preset: null,
  hwaccel: 'none',
  preferred_audio_language: 'en',
  subtitles_enabled: true,
  subtitle_url: null,
  subtitle_language: null,
  subtitle_seek_seconds: 0,
  callback_url: 'http://app.example/api/m3u-proxy/broadcast/callback',
  next_stream_config: [],
  output_dir: null,
  headers: { 'X-Plex-Token': 't', Host: 'elsewhere', 'X-None': null },
  metadata: [],
  deinterlace: true,
};

describe('POST /broadcast/{id}/start', () => {
  it('takes all that m3u-editor sends', async () => {
    await using under = await api();
    const reply = await under.call('POST', '/broadcast/9b2e-uuid/start', { json: EDITORS_BODY });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      network_id: '9b2e-uuid',
      ffmpeg_pid: 77,
      status: 'running',
    });
    expect(asked).toMatchObject([
      {
        id: '9b2e-uuid',
        firstNumber: 43,
        addsDiscontinuity: true,
        isDvr: false,
        next: null,
        folder: '/broadcasts/broadcast_9b2e-uuid',
        programme: {
          streamUrl: EDITORS_BODY.stream_url,
          headers: { 'X-Plex-Token': 't' },
          seekSeconds: 61,
          durationSeconds: 1800,
          audioLanguage: 'en',
          subtitles: { url: null, language: null, seekSeconds: 0 },
          encoding: {
            videoCodec: 'libx264',
            audioCodec: 'aac',
            preset: 'veryfast',
            videoKbps: 2500,
            resolution: '1280x720',
            hwaccel: null,
          },
        },
      },
    ]);
  });

  it('is content with an address, and leaves a next programme out that cannot be played', async () => {
    await using under = await api();
    const json = {
      stream_url: 'http://media.example/1.ts',
      next_stream_config: { stream_url: 'rtmp://media.example/2' },
    };
    expect((await under.call('POST', '/broadcast/net1/start', { json })).status).toBe(200);
    expect(asked[0]).toMatchObject({
      next: null,
      firstNumber: 0,
      programme: { segmentSeconds: 6, listSize: 20, encoding: null, subtitles: null },
    });
  });

  it.each([
    ['recording-1', '/recordings/recording-1'],
    ['/recordings/a/b', '/recordings/a/b'],
    ['/etc', '/recordings/broadcast_net1'],
    ['../broadcasts', '/recordings/broadcast_net1'],
    ['/recordings', '/recordings/broadcast_net1'],
    ['', '/recordings/broadcast_net1'],
  ])('of a recording for %j is written to %s', async (output_dir, path) => {
    await using under = await api();
    const json = { stream_url: 'http://media.example/1.ts', dvr_mode: true, output_dir };
    await under.call('POST', '/broadcast/net1/start', { json });
    expect(asked[0]?.folder).toBe(path);
  });

  it.each([
    [{}, 'stream_url'],
    [{ stream_url: 'file:///etc/passwd' }, 'stream_url'],
    [{ seek_seconds: -1 }, 'seek_seconds'],
    [{ segment_start_number: -1 }, 'segment_start_number'],
    [{ segment_start_number: 1.5 }, 'segment_start_number'],
    [{ segment_duration: 0 }, 'segment_duration'],
    [{ video_codec: '-y /etc/passwd' }, 'video_codec'],
    [{ video_resolution: '1:1,movie=/etc/passwd' }, 'video_resolution'],
    [{ video_bitrate: '1k -f null' }, 'video_bitrate'],
    [{ preset: '-vf' }, 'preset'],
    [{ hwaccel: 'a b' }, 'hwaccel'],
    [{ preferred_audio_language: 'en?' }, 'preferred_audio_language'],
    [{ subtitle_url: 'concat:/etc/passwd' }, 'subtitle_url'],
    [{ callback_url: 'ftp://app.example' }, 'callback_url'],
  ])('refuses %j, and names the field', async (given, field) => {
    await using under = await api();
    const whole = field === 'stream_url' ? given : { stream_url: 'http://m.example/1', ...given };
    const reply = await under.call('POST', '/broadcast/net1/start', { json: whole });
    expect(reply.status).toBe(422);
    expect(reply.body.detail).toContain(field);
    expect(asked).toEqual([]);
  });

  it('refuses ids that are none', async () => {
    await using under = await api();
    const json = { stream_url: 'http://media.example/1.ts' };
    for (const id of ['a%2Fb', '..%2F..', 'a.b', 'x'.repeat(129)]) {
      const reply = await under.call('POST', `/broadcast/${id}/start`, { json });
      expect([id, reply.status]).toEqual([id, 422]);
    }
  });

  it('says as text why it did not start', async () => {
    await using under = await api();
    const json = { stream_url: 'http://media.example/broken' };
    const reply = await under.call('POST', '/broadcast/net1/start', { json });
    expect(reply.status).toBe(500);
    expect(reply.body.detail).toBe('Network net1 did not start: no such source.');
  });
});

describe('the other routes', () => {
  it('answer as m3u-editor reads them', async () => {
    await using under = await api();
    const stopped = await under.call('POST', '/broadcast/net1/stop', { json: [] });
    expect(stopped.body).toMatchObject({
      network_id: 'net1',
      final_segment_number: 4,
      status: 'stopped',
    });
    const status = await under.call('GET', '/m3u-proxy/broadcast/net1/status');
    expect(status.body).toMatchObject({ status: 'running', hls_dir: folder, bytes_written: 5000 });
    const list = await under.call('GET', '/broadcast');
    expect(list.body).toMatchObject({ count: 1, broadcasts: [{ network_id: 'net1' }] });
    for (const [method, path] of [
      ['POST', '/broadcast/other/stop'],
      ['GET', '/broadcast/other/status'],
    ] as const) {
      const { status: code, body } = await under.call(method, path);
      expect([code, body.detail]).toEqual([404, 'Broadcast not found']);
    }
  });

  it('remove files also of what is not known, in both places', async () => {
    await using under = await api();
    expect((await under.call('DELETE', '/broadcast/other')).status).toBe(200);
    expect((await under.call('DELETE', '/broadcast/a.b')).status).toBe(200);
    expect(removed).toEqual([['/broadcasts/broadcast_other', '/recordings/broadcast_other']]);
  });

  it('want the token, and playback does not', async () => {
    await using under = await api({ apiToken: 'secret' });
    const json = { stream_url: 'http://media.example/1.ts' };
    const locked = [
      under.call('POST', '/broadcast/net1/start', { json }),
      under.call('POST', '/broadcast/net1/stop'),
      under.call('GET', '/broadcast/net1/status'),
      under.call('GET', '/broadcast'),
      under.call('DELETE', '/broadcast/net1'),
    ];
    expect((await Promise.all(locked)).map(({ status }) => status)).toEqual(Array(5).fill(401));
    const open = await under.call('GET', '/broadcast/net1/live.m3u8');
    expect(open.status).toBe(200);
  });
});

describe('playback', () => {
  const PATHS = ['/broadcast/net1', '/broadcast/net1/segment', '/m3u-proxy/broadcast/net1'];

  it.each(PATHS)('below %s serves the playlist, segments and subtitles', async (path) => {
    await using under = await api();
    const playlist = await under.call('GET', `${path}/live.m3u8`);
    expect(playlist.text).toBe('#EXTM3U\nlive000001.ts\n');
    expect(Object.fromEntries(playlist.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'no-cache, no-store, must-revalidate',
      'access-control-allow-origin': '*',
    });
    const segment = await under.call('GET', `${path}/live000001.ts`);
    expect(segment.text).toBe('abcdefghij');
    expect(Object.fromEntries(segment.headers)).toMatchObject({
      'content-type': 'video/mp2t',
      'cache-control': 'public, max-age=86400',
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^"/),
      'last-modified': expect.any(String),
      'access-control-allow-origin': '*',
    });
    const subtitles = await under.call('GET', `${path}/live000001.vtt`);
    expect(subtitles.text).toBe('WEBVTT\n');
  });

  it('answers ranges and conditions', async () => {
    await using under = await api();
    const get = (headers: Record<string, string>) =>
      fetch(`${under.url}/broadcast/net1/live000001.ts`, { headers });
    const part = await get({ range: 'bytes=2-4' });
    expect([part.status, await part.text()]).toEqual([206, 'cde']);
    const etag = part.headers.get('etag') ?? '';
    // By itself `fetch` would ask for a reload.
    const had = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await get(had)).status).toBe(304);
    const outside = await get({ range: 'bytes=50-' });
    expect([outside.status, ((await outside.json()) as { code: string }).code]).toEqual([
      416,
      'RANGE_NOT_SATISFIABLE',
    ]);
  });

  it.each([
    '/broadcast/net1/segment/live000009.ts',
    '/broadcast/net1/segment/..%2Fsecret.ts',
    '/broadcast/net1/segment/.owner',
    '/broadcast/net1/segment/secret.ts',
    '/broadcast/net1/secret.ts',
    '/broadcast/other/live000001.ts',
    '/broadcast/a.b/live000001.ts',
  ])('has nothing at %s', async (path) => {
    await using under = await api();
    const { status, body } = await under.call('GET', path);
    expect([status, body.detail]).toEqual([404, 'Segment not found']);
  });

  it('of a network that is not there says so', async () => {
    await using under = await api();
    const { status, body } = await under.call('GET', '/broadcast/other/live.m3u8');
    expect([status, body.detail]).toEqual([404, 'Playlist not available']);
  });
});
