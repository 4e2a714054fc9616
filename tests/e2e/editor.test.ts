import { describe, expect, it } from 'vitest';
import type { ApiAnswer } from '../support/api-client.ts';
import {
  answer,
  file,
  folder,
  liveTs,
  startFakeProvider,
  status,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import { playWithFfmpeg } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

/** As m3u-editor is deployed with it: a token, and viewers under the prefix. */
const stage = useProduct({ env: { API_TOKEN: 'editor-token', STREAM_RETRY_DELAY: '0.2' } });

const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
  stage.product.api.call(method, path, {
    headers: { accept: 'application/json', 'user-agent': 'GuzzleHttp/7' },
    ...(body === undefined ? {} : { body }),
  });

const playerUrl = (path: string): string => `${stage.product.url}/m3u-proxy${path}`;

/** Metadata of a channel as the editor sends it: numbers, words and booleans mixed. */
const channel = (id: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id,
  channel_id: String(id),
  type: 'channel',
  playlist_uuid: 'playlist-a',
  strict_live_ts: false,
  use_sticky_session: false,
  original_channel_id: id,
  original_playlist_uuid: 'playlist-a',
  is_failover: false,
  ...more,
});

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:\d\d)$/);

const matching = async (field: string, value: string): Promise<unknown> => {
  const query = new URLSearchParams({ field, value, active_only: '1' });
  return (await call('GET', `/streams/by-metadata?${query.toString()}`)).body['total_matching'];
};

/** The beacon of the in-app player names its own client. */
async function endsWhenThePlayerCloses(id: string): Promise<void> {
  const closing = new URLSearchParams({
    field: 'channel_id',
    value: '11',
    force: 'false',
    client_id: 'popout-1',
  });
  const closed = await call('DELETE', `/streams/by-metadata?${closing.toString()}`);
  expect(closed.body).toMatchObject({ deleted_count: 1, deleted_streams: [id] });
  const { data } = await stage.sink.event('stream_stopped', id);
  expect(data).toMatchObject({
    playlist_uuid: 'playlist-a',
    type: 'channel',
    id: '11',
    metadata: { provider_profile_id: '1' },
  });
  expect(await matching('playlist_uuid', 'playlist-a')).toBe(0);
}

describe('a channel request of m3u-editor', () => {
  it('looks up, counts, creates, plays, counts, and ends', async () => {
    await using provider = await startFakeProvider({ '/live/u/p/1.ts': liveTs(stage.main) });
    expect(await matching('original_channel_id', '11')).toBe(0);
    expect(await matching('playlist_uuid', 'playlist-a')).toBe(0);
    const counts = '/streams/counts-by-metadata?field=provider_profile_id&values=1,2&active_only=1';
    expect((await call('GET', counts)).body).toMatchObject({ counts: { 1: 0, 2: 0 } });
    const created = await call('POST', '/streams', {
      url: provider.url('/live/u/p/1.ts'),
      metadata: channel(11, { provider_profile_id: 1, playlist_auth_id: 'ann' }),
      user_agent: 'VLC/3.0.21',
      headers: [],
      failover_urls: [provider.url('/live/u/p/2.ts')],
    });
    expect(created.status).toBe(200);
    const id = String(created.body['stream_id']);
    expect(id).toMatch(/^[A-Za-z0-9-]+$/);
    // Nobody watches yet: it counts for nothing.
    expect(await matching('playlist_uuid', 'playlist-a')).toBe(0);

    await using viewer = watch(`${playerUrl(`/stream/${id}`)}?username=ann+b&client_id=popout-1`, {
      headers: { connection: 'upgrade', 'x-forwarded-for': '203.0.113.7', host: 'editor' },
    });
    await viewer.reached(50_000);
    expect(await matching('original_channel_id', '11')).toBe(1);
    expect(await matching('playlist_auth_id', 'ann')).toBe(1);
    expect((await call('GET', counts)).body).toMatchObject({ counts: { 1: 1, 2: 0 } });
    const found = await call('GET', '/streams/by-metadata?field=type&value=channel&active_only=1');
    expect(found.body['matching_streams']).toMatchObject([
      {
        stream_id: id,
        client_count: 1,
        metadata: { id: '11', original_channel_id: '11', is_failover: 'False' },
      },
    ]);
    const clients = await call('GET', '/clients');
    expect(clients.body).toMatchObject({
      total_clients: 1,
      clients: [
        {
          client_id: 'popout-1',
          stream_id: id,
          username: 'ann b',
          ip_address: '203.0.113.7',
          is_connected: true,
        },
      ],
    });
    await endsWhenThePlayerCloses(id);
    expect(await viewer.ended(1_000)).toBe('clean');
  });

  it('frees the place of the oldest, and its account, at once', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const oldest = await stage.product.api.createStream({
      url: provider.url('/live.ts?old'),
      metadata: channel(21, { playlist_uuid: 'full' }),
    });
    const kept = await stage.product.api.createStream({
      url: provider.url('/live.ts?kept'),
      metadata: channel(22, { playlist_uuid: 'full' }),
    });
    await using first = watch(playerUrl(`/stream/${oldest}`));
    await using second = watch(playerUrl(`/stream/${kept}`));
    await Promise.all([first.reached(20_000), second.reached(20_000)]);
    const path = '/streams/oldest-by-metadata?field=playlist_uuid&value=full';
    const askedAt = performance.now();
    const answered = await call('DELETE', path);
    expect(answered.body).toMatchObject({ deleted_count: 1, deleted_stream: oldest });
    await provider.until(() => provider.open() === 1, 200);
    await stage.sink.event('stream_stopped', oldest);
    // The editor waits 200 ms before it looks again; a busy machine may need longer.
    expect(performance.now() - askedAt).toBeLessThan(500);
    expect(await matching('playlist_uuid', 'full')).toBe(1);
    expect(second.ending).toBeUndefined();
    const none = await call('DELETE', '/streams/oldest-by-metadata?field=playlist_uuid&value=none');
    expect(none).toMatchObject({ status: 200, body: { deleted_count: 0, deleted_stream: null } });
    const excluded = await call('DELETE', `${path}&exclude_channel_id=22`);
    expect(excluded.body).toMatchObject({ deleted_count: 0 });
  });

  it('asks the resolver, which asks back, and moves the same player on', async () => {
    await using provider = await startFakeProvider({
      '/1.ts': liveTs(stage.main),
      '/2.ts': liveTs(stage.other),
    });
    await using editor = await startFakeProvider({
      '/api/m3u-proxy/failover-resolver': answer(async () => {
        // While it answers, the editor counts: nothing may be locked.
        await call(
          'GET',
          '/streams/by-metadata?field=playlist_uuid&value=playlist-a&active_only=1',
        );
        return {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ next_url: provider.url('/2.ts') }),
        };
      }),
    });
    const id = await stage.product.api.createStream({
      url: provider.url('/1.ts'),
      metadata: channel(31),
      failover_resolver_url: editor.url('/api/m3u-proxy/failover-resolver?api_token=keep'),
    });
    await using viewer = watch(playerUrl(`/stream/${id}`));
    await viewer.reached(50_000);
    provider.setFault('/1.ts', status(503));
    provider.cut('/1.ts', 'reset');
    await provider.until(() => provider.open('/2.ts') === 1);
    await viewer.more(100_000);
    const asked = editor.requests[0];
    expect(asked?.url).toMatch(/\?api_token=keep$/);
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({
      current_url: provider.url('/1.ts'),
      current_failover_index: 0,
      status_code: 503,
      metadata: { id: '31', playlist_uuid: 'playlist-a' },
      reason: expect.any(String),
    });
  });

  it('fails over by hand with the two bytes that PHP sends for nothing', async () => {
    await using provider = await startFakeProvider({ '/1.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/1.ts'), metadata: [] });
    expect((await call('POST', `/streams/${id}/failover`, [])).status).toBe(400);
    expect((await call('POST', `/streams/${'0'.repeat(32)}/failover`, [])).status).toBe(404);
  });
});

describe('what m3u-editor reads', () => {
  it('is in every stream and client that its monitor lists', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    await using viewer = watch(playerUrl(`/stream/${id}`));
    await viewer.reached(20_000);
    const { body } = await call('GET', '/streams?active=true');
    const listed = body['streams'] as readonly Record<string, unknown>[];
    const found = listed.find((stream) => stream['stream_id'] === id);
    expect(found).toMatchObject({
      original_url: provider.url('/live.ts'),
      current_url: provider.url('/live.ts'),
      stream_type: 'Live Continuous',
      is_active: true,
      client_count: 1,
      total_bytes_served: expect.any(Number),
      total_segments_served: 0,
      has_failover: false,
      error_count: 0,
      created_at: ISO_TIME,
      metadata: {},
      failover_urls: [],
      failover_resolver_url: null,
      current_failover_index: -1,
      failover_attempts: 0,
      last_failover_time: null,
      media_info: expect.any(Object),
      output_media_info: {},
    });
    const { body: clients } = await call('GET', '/clients');
    expect(clients).toMatchObject({
      total_clients: 1,
      clients: [
        {
          stream_id: id,
          ip_address: '127.0.0.1',
          bytes_served: expect.any(Number),
          created_at: ISO_TIME,
          last_access: ISO_TIME,
          username: null,
          user_agent: expect.any(String),
          is_connected: true,
        },
      ],
    });
  });

  it('is in /info and /health, and no password with it', async () => {
    const { body } = await call('GET', '/info');
    expect(body).toMatchObject({
      version: expect.any(String),
      hardware_acceleration: { enabled: false },
      redis: { pooling_enabled: true, max_clients_per_stream: null, sharing_strategy: null },
      ffmpeg_version: expect.stringContaining('ffmpeg'),
    });
    // Null where it is not installed.
    for (const key of ['streamlink_version', 'ytdlp_version']) expect(body).toHaveProperty(key);
    expect(JSON.stringify(body)).not.toContain('editor-token');
    expect((await call('GET', '/health')).body).toMatchObject({
      status: 'healthy',
      version: body['version'],
      stats: { active_streams: expect.any(Number), total_clients: expect.any(Number) },
    });
    const probe = await stage.product.api.call('GET', '/health?api_token=editor-token');
    expect(probe.status).toBe(200);
  });

  it('tells whether the editor can be reached', async () => {
    await using editor = await startFakeProvider({ '/up': text('up') });
    const url = editor.url('/up');
    expect((await call('POST', '/test-connection', { url })).body).toMatchObject({
      success: true,
      url_tested: url,
    });
    await editor.down();
    const { status: code, body } = await call('POST', '/test-connection', { url });
    expect({ code, success: body['success'] }).toEqual({ code: 200, success: false });
  });

  it('keeps one registration through its clean-up every five minutes', async () => {
    const hook = { url: 'http://127.0.0.1:9/api/m3u-proxy/webhooks' };
    const events = ['client_connected', 'client_disconnected', 'stream_started', 'stream_stopped'];
    for (let round = 0; round < 2; round += 1) {
      await call('POST', '/webhooks', { ...hook, events, timeout: 5, retry_attempts: 2 });
    }
    const listed = async (): Promise<number> => {
      const { body } = await call('GET', '/webhooks');
      return (body['webhooks'] as readonly { url: string }[]).filter(({ url }) => url === hook.url)
        .length;
    };
    expect(await listed()).toBe(1);
    expect((await call('DELETE', '/webhooks', { webhook_url: hook.url })).status).toBe(200);
    expect(await listed()).toBe(0);
  });

  it('refuses what is no web address, naming the field', async () => {
    const { status: code, body } = await call('POST', '/streams', { url: 'rtmp://host/live' });
    expect({ code, detail: typeof body['detail'] }).toEqual({ code: 422, detail: 'string' });
    expect(JSON.stringify(body['errors'])).toContain('url');
  });
});

describe('players that m3u-editor sends', () => {
  it('get a film with ranges, with CORS, and the same film again while seeking', async () => {
    await using provider = await startFakeProvider({ '/movie/u/p/9.mp4': file(stage.media.mp4) });
    const id = await stage.product.api.createStream({
      url: provider.url('/movie/u/p/9.mp4'),
      metadata: { id: 9, episode_id: '9', type: 'episode' },
    });
    const url = playerUrl(`/stream/${id}`);
    const parts = await Promise.all(
      ['bytes=0-999', 'bytes=500000-500999'].map((range) => fetchOnce(url, { headers: { range } })),
    );
    for (const part of parts) {
      expect({ status: part.status, bytes: part.bytes }).toEqual({ status: 206, bytes: 1000 });
      expect(part.headers['access-control-allow-origin']).toBe('*');
    }
    await stage.sink.event('stream_stopped', id);
    expect(stage.sink.of('stream_stopped', id)).toHaveLength(1);
  });

  it('get a channel of playlists by either address', async () => {
    await using provider = await startFakeProvider({ '/hls/': folder(stage.media.hls.ts) });
    const id = await stage.product.api.createStream({ url: provider.url('/hls/index.m3u8') });
    for (const path of [`/hls/${id}/playlist.m3u8`, `/stream/${id}`]) {
      const { pictures, complaints } = await playWithFfmpeg(playerUrl(path));
      expect({ pictures, complaints }).toEqual({ pictures: 200, complaints: [] });
    }
    const playlist = (await fetchOnce(playerUrl(`/hls/${id}/playlist.m3u8`))).body().toString();
    const names = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    await eventually('its segments have been looked at', async () => {
      const { body } = await call('GET', `/streams/${id}`);
      return JSON.stringify(body).includes('"resolution":"640x360"');
    });
    // What the editor's nginx lets through.
    for (const name of names) expect(name.split('?')[0]).toMatch(/^[playist.m3u8egn]+$/);
  });

  it('may come back with the same client id while the old connection still closes', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    const url = `${playerUrl(`/stream/${id}`)}?client_id=floating-player-1`;
    const old = watch(url);
    await old.reached(20_000);
    await using fresh = watch(url);
    await fresh.reached(20_000);
    old.leave();
    await provider.until(() => provider.open() === 1);
    await fresh.more(50_000);
    const { body } = await call('GET', `/streams/${id}`);
    expect(body['client_count']).toBe(1);
    expect(stage.sink.of('stream_stopped', id)).toHaveLength(0);
  });
});
