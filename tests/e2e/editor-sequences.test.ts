import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { file, liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import type { ApiAnswer } from '../support/api-client.ts';
import { eventually } from '../support/processes.ts';
import { makeStandIns } from '../support/resolver-programs.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

const programs = await makeStandIns();
const cookiesFolder = join(programs.folder, 'cookies');
await mkdir(cookiesFolder);
await writeFile(join(cookiesFolder, 'site.txt'), '# Netscape HTTP Cookie File\n');

/** As an operator sets it up for m3u-editor, who pools viewers. */
const stage = useProduct({
  env: {
    ...programs.env,
    API_TOKEN: 'editor-token',
    COOKIES_DIR: cookiesFolder,
    STREAM_SHARING: 'shared',
    SHARED_STREAM_GRACE: '0.2',
  },
});
afterAll(() => programs[Symbol.asyncDispose]());

const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
  stage.product.api.call(method, path, {
    headers: { accept: 'application/json', 'user-agent': 'GuzzleHttp/7' },
    ...(body === undefined ? {} : { body }),
  });

/** What the editor's nginx hands on: the prefix, and a connection that it would upgrade. */
const player = (path: string) =>
  watch(`${stage.product.url}/m3u-proxy${path}`, { headers: { connection: 'upgrade' } });

const channel = (id: number, more: Record<string, unknown> = {}) => ({
  id,
  channel_id: String(id),
  type: 'channel',
  playlist_uuid: 'playlist-p',
  strict_live_ts: false,
  use_sticky_session: false,
  original_channel_id: id,
  original_playlist_uuid: 'playlist-p',
  is_failover: false,
  ...more,
});

type Match = {
  readonly stream_id: string;
  readonly client_count: number;
  readonly metadata: Record<string, string>;
};

async function lookUp(field: string, value: string | number) {
  const query = new URLSearchParams({ field, value: String(value), active_only: '1' });
  const { status, body } = await call('GET', `/streams/by-metadata?${query.toString()}`);
  expect(status).toBe(200);
  const found = body['matching_streams'] as readonly Match[];
  expect(body['total_matching']).toBe(found.length);
  return found;
}

const count = async (field: string, value: string | number) => (await lookUp(field, value)).length;

async function create(path: '/streams' | '/transcode', body: unknown): Promise<string> {
  const { status, body: answered } = await call('POST', path, body);
  if (status !== 200) throw new Error(JSON.stringify(answered));
  return String(answered['stream_id']);
}

const listed = async (id: string): Promise<Record<string, unknown> | undefined> => {
  const { body } = await call('GET', '/streams');
  return (body['streams'] as readonly Record<string, unknown>[]).find(
    (stream) => stream['stream_id'] === id,
  );
};

describe('viewers of one channel', () => {
  it('are found, share one connection, and free it with the last of them', async () => {
    await using provider = await startFakeProvider({ '/live/1.ts': liveTs(stage.main) });
    expect(await count('original_channel_id', 101)).toBe(0);
    const id = await create('/streams', {
      url: provider.url('/live/1.ts'),
      metadata: channel(101, { provider_profile_id: 5 }),
      // Flags of channels with special providers.
      strict_live_ts: true,
      use_sticky_session: true,
      enable_silence_detection: true,
      silence_threshold_db: -50,
      silence_duration: 3,
      silence_check_interval: 10,
      silence_failover_threshold: 3,
      silence_monitoring_grace_period: 15,
    });
    await using first = player(`/stream/${id}?username=ann`);
    await first.reached(20_000);
    // Another viewer of the channel: no limit applies, and nothing is posted.
    const [hit] = await lookUp('original_channel_id', 101);
    expect(hit).toMatchObject({ stream_id: id, client_count: 1 });
    expect(hit?.metadata['transcoding']).toBeUndefined();
    expect(hit?.metadata['original_playlist_uuid']).toBe('playlist-p');
    await using second = player(`/stream/${id}?username=bob`);
    await second.reached(20_000);
    expect(await count('playlist_uuid', 'playlist-p')).toBe(1);
    const { body: clients } = await call('GET', '/clients');
    expect(clients).toMatchObject({ total_clients: 2 });
    first.leave();
    await second.more(50_000);
    expect(provider.maxOpen()).toBe(1);
    await eventually('the source has been looked at', async () => {
      const info = (await listed(id))?.['media_info'] as Record<string, unknown>;
      return info['resolution'] === '640x360' && info['video_codec'] === 'h264';
    });
    second.leave();
    await provider.until(() => provider.open() === 0, 2_000);
    const { data } = await stage.sink.event('stream_stopped', id);
    expect(data).toMatchObject({ metadata: { provider_profile_id: '5' } });
    await eventually(
      'nothing counts',
      async () => (await count('playlist_uuid', 'playlist-p')) === 0,
    );
    expect(stage.sink.of('stream_stopped', id)).toHaveLength(1);
  });

  it('of a login that is full take the place of its oldest', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const common = { playlist_auth_id: 'login-1', playlist_uuid: 'playlist-l' };
    const oldest = await create('/streams', {
      url: provider.url('/live.ts?1'),
      metadata: channel(201, common),
    });
    await using old = player(`/stream/${oldest}`);
    await old.reached(20_000);
    expect(await count('playlist_auth_id', 'login-1')).toBe(1);
    const path = '/streams/oldest-by-metadata?field=playlist_auth_id&value=login-1';
    const deleted = await call('DELETE', `${path}&exclude_channel_id=202`);
    expect(deleted.body).toMatchObject({ deleted_count: 1, deleted_stream: oldest });
    // The editor waits as long before it counts again.
    await pause(100);
    expect(await count('playlist_auth_id', 'login-1')).toBe(0);
    const id = await create('/streams', {
      url: provider.url('/live.ts?2'),
      metadata: channel(202, common),
    });
    await using fresh = player(`/stream/${id}`);
    await fresh.reached(20_000);
    expect(old.ending).toBe('clean');
    expect(provider.maxOpen()).toBe(1);
    expect((await fetchOnce(`${stage.product.url}/stream/${oldest}`)).status).toBe(404);
  });
});

describe('what is stopped', () => {
  it('is one stream from the monitor, and all of a playlist but the one that is spared', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const ids = await Promise.all(
      [301, 302, 303].map((number) =>
        create('/streams', {
          url: provider.url(`/live.ts?${number}`),
          metadata: channel(number, { playlist_uuid: 'playlist-s' }),
        }),
      ),
    );
    const players = ids.map((id) => player(`/stream/${id}`));
    await Promise.all(players.map((one) => one.reached(10_000)));
    const [first, second, third] = ids;
    expect((await call('DELETE', `/streams/${first}`)).status).toBe(200);
    expect(await players[0]?.ended(2_000)).toBe('clean');
    expect((await call('DELETE', `/streams/${first}`)).status).toBe(404);
    const all = '/streams/by-metadata?field=playlist_uuid&value=playlist-s';
    const idle = await call('DELETE', `${all}&force=false`);
    expect(idle.body).toMatchObject({
      deleted_count: 0,
      skipped_streams: expect.arrayContaining([
        { stream_id: second, reason: 'has_active_clients', active_clients: 1 },
      ]),
    });
    const stopped = await call('DELETE', `${all}&force=true&exclude_channel_id=303`);
    expect(stopped.body).toMatchObject({ deleted_count: 1, deleted_streams: [second] });
    expect(stopped.body['message']).toEqual(expect.any(String));
    expect(await count('playlist_uuid', 'playlist-s')).toBe(1);
    expect((await call('DELETE', `/streams/${third}`)).status).toBe(200);
    for (const one of players) one.leave();
  });
});

/** The editor's own profile for live channels, smaller. */
const LIVE_PROFILE =
  '-fflags +genpts+discardcorrupt -i {input_url} -c:v libx264 -preset ultrafast -vf "scale=160:90" -b:v {video_bitrate|200k} -maxrate {video_maxrate|300k} -bufsize {video_bufsize|400k} -c:a aac -b:a {audio_bitrate|64k} -f mpegts {output_args|pipe:1}';

describe('a transcoding profile', () => {
  it('is made once for all who are sent to it, and tells what it gives', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await create('/transcode', {
      url: provider.url('/live.ts'),
      profile: LIVE_PROFILE,
      metadata: channel(401, { profile_id: 9 }),
      headers: { 'X-Emby-Token': 'secret', 'X-None': null },
    });
    await using first = player(`/stream/${id}`);
    await first.reached(20_000, 15_000);
    const [hit] = await lookUp('original_channel_id', 401);
    expect(hit).toMatchObject({
      stream_id: id,
      metadata: { transcoding: 'true', profile_id: '9', original_channel_id: '401' },
    });
    await using second = player(`/stream/${id}`);
    await second.reached(20_000, 15_000);
    expect(provider.maxOpen()).toBe(1);
    expect(provider.requests[0]?.headers['x-emby-token']).toBe('secret');
    await eventually('FFmpeg has told', async () => {
      const { output_media_info: output } = (await listed(id)) ?? {};
      return Number((output as { readonly speed?: number } | undefined)?.speed) > 0;
    });
    expect(await listed(id)).toMatchObject({
      stream_type: 'Transcoding',
      media_info: { video_codec: 'h264', resolution: '640x360' },
      output_media_info: {
        container: 'MPEGTS',
        video_codec: 'h264',
        resolution: '160x90',
        fps: 25,
        audio_codec: 'aac',
        bitrate_kbps: expect.any(Number),
        frame: expect.any(Number),
        speed: expect.any(Number),
      },
    });
    first.leave();
    second.leave();
    await provider.until(() => provider.open() === 0, 5_000);
    expect(await listed(id)).toMatchObject({ output_media_info: {} });
  });

  it('may come with the empty arrays that PHP writes for empty maps', async () => {
    const empty = { metadata: [], headers: [], failover_urls: [] };
    const url = 'http://127.0.0.1:9/nobody.ts';
    const id = await create('/transcode', { url, profile: LIVE_PROFILE, ...empty });
    expect(await listed(id)).toMatchObject({ metadata: { transcoding: 'true' } });
    expect((await call('DELETE', `/streams/${id}`)).status).toBe(200);
  });

  it('that nobody knows is refused, with words', async () => {
    const { status, body } = await call('POST', '/transcode', { url: 'http://h/x', profile: 'x' });
    expect({ status, detail: typeof body['detail'] }).toEqual({ status: 400, detail: 'string' });
  });
});

describe('a resolver profile', () => {
  it('that is full gives up its oldest, and plays the new page', async () => {
    await using provider = await startFakeProvider({ '/page': liveTs(stage.main) });
    const page = (number: number, more: Record<string, unknown> = {}) => ({
      url: provider.url(`/page?${number}`),
      metadata: channel(number, { profile_id: 77, playlist_uuid: 'playlist-r' }),
      resolver: 'streamlink',
      resolver_args: 'best --hls-live-edge 3',
      cookies_path: null,
      user_agent: 'VLC/3.0.21',
      ...more,
    });
    const oldest = await create('/transcode', page(501));
    await using old = player(`/stream/${oldest}`);
    await old.reached(20_000, 15_000);
    // max_connections is 1: the oldest are ended until it is kept.
    while ((await count('profile_id', 77)) >= 1) {
      const path = '/streams/oldest-by-metadata?field=profile_id&value=77';
      expect((await call('DELETE', path)).body['deleted_count']).toBe(1);
      await pause(100);
    }
    const cookies = join(cookiesFolder, 'site.txt');
    const asked = `/validate-cookies-file?path=${encodeURIComponent(cookies)}`;
    for (const [path, valid] of [
      [asked, true],
      ['/validate-cookies-file?path=/etc/passwd', false],
    ] as const) {
      const { body } = await call('GET', path);
      expect(body).toMatchObject({ valid, message: expect.any(String) });
    }
    const id = await create('/transcode', page(502, { cookies_path: cookies, resolver_args: '' }));
    await using fresh = player(`/stream/${id}`);
    await fresh.reached(20_000, 15_000);
    expect(old.ending).toBe('clean');
    const [hit] = await lookUp('original_channel_id', 502);
    expect(hit).toMatchObject({
      stream_id: id,
      metadata: { transcoding: 'true', profile_id: '77' },
    });
    fresh.leave();
    await provider.until(() => provider.open() === 0, 5_000);
    await stage.sink.event('stream_stopped', id);
  });
});

describe('the token', () => {
  it('is asked for where things are managed, and never where they are played', async () => {
    await using provider = await startFakeProvider({ '/film.mp4': file(stage.media.mp4) });
    const id = await create('/streams', { url: provider.url('/film.mp4'), metadata: [] });
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${stage.product.url}${path}`, { headers })).status;
    expect(await ask('/streams')).toBe(401);
    expect(await ask('/streams', { 'X-API-Token': 'wrong' })).toBe(403);
    expect(await ask('/streams', { 'X-API-Token': 'editor-token' })).toBe(200);
    expect(await ask('/health?api_token=editor-token')).toBe(200);
    const head = await fetchOnce(`${stage.product.url}/m3u-proxy/stream/${id}`, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200 });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100_000);
  });
});
