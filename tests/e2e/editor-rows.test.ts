import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiAnswer } from '../support/api-client.ts';
import {
  answer,
  file,
  folder,
  liveTs,
  startFakeProvider,
  status,
} from '../../scripts/faultd.d/fake-provider.ts';
import { NetworkApp } from '../support/network-app.ts';
import { freePort } from '../support/product.ts';
import { startRedis } from '../support/redis.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';

const files = mkdtempSync(join(tmpdir(), 'penstock-editor-'));

/** As the editor has one in its container: by port and password. */
const redisPort = String(await freePort());
const redis = await startRedis({ port: redisPort, bind: '127.0.0.1', requirepass: 'its-own' });

afterAll(() => redis[Symbol.asyncDispose]());

/** What m3u-editor's own container sets. */
const stage = useProduct({
  env: {
    API_TOKEN: 'editor-token',
    REDIS_ENABLED: 'true',
    REDIS_HOST: '127.0.0.1',
    REDIS_SERVER_PORT: redisPort,
    REDIS_DB: '6',
    REDIS_PASSWORD: 'its-own',
    ENABLE_TRANSCODING_POOLING: 'true',
    HLS_TEMP_DIR: files,
    HLS_BROADCAST_DIR: files,
    HLS_GC_ENABLED: 'true',
    HLS_GC_INTERVAL: '600',
    HLS_GC_AGE_THRESHOLD: '7200',
    BROADCAST_GC_ENABLED: 'true',
    STREAM_SHARING: 'shared',
    STREAM_RETRY_DELAY: '0.2',
  },
});

let app: NetworkApp;

beforeAll(async () => {
  app = await NetworkApp.open(stage.product);
  app.provider.setRoute('/film.mkv', file(stage.media.mkv));
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(files, { recursive: true, force: true });
});

const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
  stage.product.api.call(method, path, {
    headers: { accept: 'application/json', 'user-agent': 'GuzzleHttp/7' },
    ...(body === undefined ? {} : { body }),
  });

/** What nginx of the editor adds to whatever a player asks. */
const NGINX = { connection: 'upgrade', host: 'editor', 'x-real-ip': '203.0.113.9' };

const player = (id: string, prefix = '/m3u-proxy') =>
  watch(`${stage.product.url}${prefix}/stream/${id}`, { headers: NGINX });

const channel = (id: number, more: Readonly<Record<string, unknown>> = {}) => ({
  id,
  type: 'channel',
  playlist_uuid: `playlist-${id}`,
  original_channel_id: id,
  original_playlist_uuid: `playlist-${id}`,
  provider_profile_id: id,
  is_failover: false,
  ...more,
});

const listed = async (id: string) => {
  const { body } = await call('GET', '/streams');
  const streams = body['streams'] as readonly Readonly<Record<string, unknown>>[];
  return streams.find((stream) => stream['stream_id'] === id);
};

/** How many streams of an account are watched. */
const accountUse = async (account: number): Promise<unknown> => {
  const query = `field=provider_profile_id&values=${account}&active_only=1`;
  const { body } = await call('GET', `/streams/counts-by-metadata?${query}`);
  return (body['counts'] as Readonly<Record<string, number>>)[account];
};

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:\d\d)$/);

/** Asks as a player behind nginx: 200, open to browsers of any origin. The body as Latin-1. */
async function got(url: URL): Promise<string> {
  const answered = await fetchOnce(url.href, { headers: NGINX });
  expect({
    path: url.pathname,
    status: answered.status,
    origin: answered.headers['access-control-allow-origin'],
  }).toEqual({ path: url.pathname, status: 200, origin: '*' });
  return answered.body().toString('latin1');
}

const firstName = (playlist: string): string =>
  playlist.split('\n').find((line) => /^[^#\s]/.test(line)) ?? '';

describe.each(['', '/m3u-proxy'])('players below "%s", without a token', (prefix) => {
  it('get playlists and their segments by relative names, and are known by their names', async () => {
    await using provider = await startFakeProvider({ '/hls/': folder(stage.media.hls.ts) });
    const id = await stage.product.api.createStream({ url: provider.url('/hls/index.m3u8') });
    const query = 'username=ann+b&client_id=floating-player-1-x';
    const url = new URL(`${stage.product.url}${prefix}/hls/${id}/playlist.m3u8?${query}`);
    const segment = new URL(firstName(await got(url)), url);
    expect(segment.pathname).toBe(`${prefix}/hls/${id}/segment.ts`);
    expect((await got(segment)).charCodeAt(0)).toBe(0x47);
    const { body } = await call('GET', '/clients');
    expect(body['clients']).toContainEqual(
      expect.objectContaining({
        stream_id: id,
        client_id: 'floating-player-1-x',
        username: 'ann b',
        is_connected: true,
      }),
    );
    expect((await call('DELETE', `/streams/${id}`)).status).toBe(200);
  });

  it('get networks, also when a programme has ended and nothing follows yet', async () => {
    const id = `plays${prefix.length}`;
    const callback_url = `${app.callbackUrl}?api_token=a%2Fb&x`;
    const stream_url = app.provider.url('/film.mkv');
    await app.start(id, { stream_url, duration_seconds: 1, callback_url });
    expect(await app.untilTold(id)).toMatchObject([{ event: 'programme_ended' }]);
    const { url } = app.provider.requestsOf('/callback').at(-1) ?? {};
    expect(url).toBe('/callback?api_token=a%2Fb&x');
    const base = new URL(`${stage.product.url}${prefix}/broadcast/${id}/live.m3u8`);
    for (const path of [base, new URL('segment/live.m3u8', base)]) {
      expect(firstName(await got(path))).toMatch(/live000000\.ts$/);
    }
    expect((await got(new URL('segment/live000000.ts', base))).charCodeAt(0)).toBe(0x47);
    expect((await call('DELETE', `/broadcast/${id}`)).status).toBe(200);
  });
});

describe('the start of the editor', () => {
  it('finds networks off or on, stops and deletes each, and starts it from its beginning', async () => {
    const body = { stream_url: app.provider.url('/film.mkv'), segment_start_number: 0 };
    expect((await call('GET', '/health')).body).toMatchObject({ redis: 'ok' });
    const { body: about } = await call('GET', '/info');
    expect(about).toMatchObject({ redis: { mode: 'external', password: null } });
    expect(JSON.stringify(about)).not.toContain('its-own');
    await app.start('boot-on', { ...body, headers: [], metadata: [], next_stream_config: null });
    await app.untilListed('boot-on', 2);
    const restarts = async (id: string, stopped: number): Promise<void> => {
      const { status: code, body: told } = await app.stop(id);
      expect(code).toBe(stopped);
      if (code === 200) expect(Number(told['final_segment_number'])).toBeGreaterThanOrEqual(1);
      expect((await call('DELETE', `/broadcast/${id}`)).status).toBe(200);
      expect((await call('GET', `/broadcast/${id}/status`)).status).toBe(404);
      expect([404, 503]).toContain((await call('GET', `/broadcast/${id}/live.m3u8`)).status);
      expect(await app.start(id, body)).toMatchObject({
        status: 200,
        body: { status: 'running', ffmpeg_pid: expect.any(Number) },
      });
      expect((await app.untilListed(id, 1))[0]).toBe('0');
    };
    await Promise.all([restarts('boot-on', 200), restarts('boot-off', 404)]);
    const { body: list } = await call('GET', '/broadcast');
    for (const id of ['boot-on', 'boot-off']) {
      expect(list['broadcasts']).toContainEqual(
        expect.objectContaining({
          network_id: id,
          status: 'running',
          started_at: ISO_TIME,
          stream_url: body.stream_url,
          current_segment_number: expect.any(Number),
        }),
      );
      expect((await call('DELETE', `/broadcast/${id}`)).status).toBe(200);
      // What an app asks for itself is not told to it.
      expect(app.of(id)).toEqual([]);
    }
  });

  it('registers its webhook anew, and hears once of every way in which a stream ends', async () => {
    await using hook = await startWebhookSink();
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const events = ['client_connected', 'client_disconnected', 'stream_started', 'stream_stopped'];
    const wanted = { url: `${hook.url}?token=a%2Fb`, events, timeout: 5, retry_attempts: 2 };
    const isListed = async (): Promise<boolean> => {
      const { body } = await call('GET', '/webhooks');
      return (body['webhooks'] as readonly { url: string }[]).some(({ url }) => url === wanted.url);
    };
    expect(await isListed()).toBe(false);
    expect((await call('POST', '/webhooks', wanted)).status).toBe(200);
    // As with --force; the second time as by an editor that took the removal for failed.
    for (const removes of [true, false]) {
      expect(await isListed()).toBe(true);
      const removed = removes
        ? await call('DELETE', '/webhooks', { webhook_url: wanted.url })
        : { status: 200 };
      expect(removed.status).toBe(200);
      expect((await call('POST', '/webhooks', wanted)).status).toBe(200);
    }
    const ways = [
      (id: string) => `/streams/${id}`,
      () => '/streams/by-metadata?field=playlist_uuid&value=ends&force=true',
      () => '/streams/oldest-by-metadata?field=playlist_uuid&value=ends&exclude_channel_id=9',
    ];
    for (const [way, pathOf] of ways.entries()) {
      const id = await stage.product.api.createStream({
        url: provider.url(`/live.ts?${way}`),
        metadata: channel(600 + way, { playlist_uuid: 'ends' }),
      });
      await using viewer = player(id);
      await viewer.reached(10_000);
      expect(await accountUse(600 + way)).toBe(1);
      const askedAt = performance.now();
      expect((await call('DELETE', pathOf(id))).status).toBe(200);
      const { data } = await hook.event('stream_stopped', id);
      // Where accounts are full, the editor waits 200 ms for this; a busy machine may need longer.
      expect(performance.now() - askedAt).toBeLessThan(1_000);
      expect(await accountUse(600 + way)).toBe(0);
      expect(data).toMatchObject({
        playlist_uuid: 'ends',
        type: 'channel',
        id: String(600 + way),
        metadata: { id: String(600 + way), provider_profile_id: String(600 + way) },
      });
      expect(await viewer.ended(2_000)).toBe('clean');
      await provider.until(() => provider.open() === 0);
      expect(hook.of('stream_stopped', id)).toHaveLength(1);
      expect(hook.of('client_disconnected', id)).toHaveLength(1);
    }
    await call('DELETE', '/webhooks', { webhook_url: wanted.url });
    expect(await isListed()).toBe(false);
  });
});

describe('failover', () => {
  it('by the button: found by its type, moved on with [] on the same connection, shown', async () => {
    const names = ['/1.ts', '/2.ts'];
    await using provider = await startFakeProvider(
      Object.fromEntries(names.map((name) => [name, liveTs(stage.main)])),
    );
    const id = await stage.product.api.createStream({
      url: provider.url('/1.ts'),
      failover_urls: [provider.url('/2.ts')],
      metadata: channel(701),
    });
    await using viewer = player(id);
    await viewer.reached(20_000);
    const { body } = await call('GET', '/streams/by-metadata?field=type&value=channel');
    const found = body['matching_streams'] as readonly {
      stream_id: string;
      metadata: { id: string };
    }[];
    const [match] = found.filter(({ metadata }) => Number(metadata.id) === 701);
    expect(match?.stream_id).toBe(id);
    expect((await call('POST', `/streams/${id}/failover`, [])).status).toBe(200);
    await provider.until(() => provider.open('/2.ts') === 1);
    await viewer.more(50_000);
    expect(await listed(id)).toMatchObject({
      original_url: provider.url('/1.ts'),
      current_url: provider.url('/2.ts'),
      has_failover: true,
      failover_urls: [provider.url('/2.ts')],
      failover_resolver_url: null,
      current_failover_index: expect.any(Number),
      failover_attempts: 1,
      last_failover_time: ISO_TIME,
      metadata: { id: '701', playlist_uuid: 'playlist-701' },
    });
    expect(viewer.ending).toBeUndefined();
    await call('DELETE', `/streams/${id}`);
  });

  it('by the resolver: counts from the primary as 0, and ends where there is nothing next', async () => {
    const names = ['/1.ts', '/2.ts', '/3.ts'];
    await using provider = await startFakeProvider(
      Object.fromEntries(names.map((name) => [name, liveTs(stage.main)])),
    );
    const next: (string | null)[] = [provider.url('/2.ts'), provider.url('/3.ts'), null];
    await using editor = await startFakeProvider({
      '/api/m3u-proxy/failover-resolver': answer(() => ({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ next_url: next.shift() ?? null }),
      })),
    });
    const id = await stage.product.api.createStream({
      url: provider.url('/1.ts'),
      metadata: channel(702),
      failover_resolver_url: editor.url('/api/m3u-proxy/failover-resolver'),
    });
    await using viewer = player(id);
    await viewer.reached(20_000);
    for (const [at, name] of names.slice(0, 2).entries()) {
      provider.setFault(name, status(at === 0 ? 403 : 503));
      provider.cut(name, 'reset');
      await provider.until(() => provider.open(names[at + 1]) === 1);
      await viewer.more(20_000);
    }
    // Nothing next: the button says so, and the picture stays.
    const { status: code, body } = await call('POST', `/streams/${id}/failover`, []);
    expect([code >= 400, typeof body['detail']]).toEqual([true, 'string']);
    await viewer.more(50_000);
    const asked = editor.requests.map((request) => JSON.parse(request.body));
    expect(asked).toMatchObject([
      { current_failover_index: 0, current_url: provider.url('/1.ts'), status_code: 403 },
      { current_failover_index: 1, current_url: provider.url('/2.ts'), status_code: 503 },
      { current_failover_index: 2, current_url: provider.url('/3.ts'), status_code: null },
    ]);
    for (const { metadata, reason } of asked) {
      expect(metadata).toMatchObject({ id: '702', playlist_uuid: 'playlist-702' });
      expect(reason).toEqual(expect.any(String));
    }
    await call('DELETE', `/streams/${id}`);
  });
});
