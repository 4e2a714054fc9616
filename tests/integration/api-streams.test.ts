import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DependencyError } from '#kernel/app-error';
import { asStreamId } from '#kernel/ids';
import { startApi } from '../support/api-under-test.ts';

const LIVE = 'http://127.0.0.1:18100/live/ch1.ts';
const BACKUP = 'http://127.0.0.1:18100/live/ch2.ts';
const LIVE_ID = '979cfa88ba6a71e39a332d4d326754dd';
const HLS = 'http://example.com/playlist.m3u8';
const UNKNOWN_ID = '0'.repeat(32);

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** One that the API has answered with. */
const idOf = (body: { stream_id: string }) => asStreamId(body.stream_id);

describe('POST /streams', () => {
  it('answers in the shape of m3u-proxy, and with the id that other tools compute', async () => {
    await using api = await startApi();
    const json = {
      url: LIVE,
      failover_urls: [BACKUP],
      metadata: { id: 7, hd: true },
      headers: { 'X-A': 'b' },
    };
    const { status, body } = await api.call('POST', '/streams', { json });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      stream_id: LIVE_ID,
      primary_url: LIVE,
      failover_urls: [BACKUP],
      stream_type: 'direct',
      stream_endpoint: `/stream/${LIVE_ID}`,
      playlist_url: `/stream/${LIVE_ID}`,
      direct_url: `/stream/${LIVE_ID}`,
      metadata: { id: '7', hd: 'True' },
      updated: false,
      applied_later: [],
    });
  });

  it('needs nothing but a URL, and then shows no metadata', async () => {
    await using api = await startApi();
    const { status, body } = await api.call('POST', '/streams', { json: { url: HLS } });
    expect(status).toBe(200);
    expect(body.stream_id).toBe(md5(HLS));
    expect(body.playlist_url).toBe(`/hls/${md5(HLS)}/playlist.m3u8`);
    expect(body.direct_url).toBe(body.playlist_url);
    expect(body).not.toHaveProperty('metadata');
  });

  it.each([
    ['http://example.com/a.ts', 'direct'],
    ['http://example.com/a.ts?token=x', 'direct'],
    ['http://example.com/film.mp4', 'direct'],
    ['http://example.com:9981/stream/channel/x?profile=pass', 'direct'],
    ['http://example.com/live/u/p/1', 'direct'],
    ['http://example.com/a.m3u8', 'hls'],
    ['http://example.com/a.m3u8?token=x', 'hls'],
  ])('announces %s as %s', async (url, type) => {
    await using api = await startApi();
    const { body } = await api.call('POST', '/streams', { json: { url } });
    expect(body.stream_type).toBe(type);
  });

  it('passes everything on as it was posted', async () => {
    await using api = await startApi();
    const json = {
      url: LIVE,
      failover_resolver_url: 'http://editor/api/m3u-proxy/failover-resolver?api_token=t',
      user_agent: 'TiviMate/5',
      headers: { Authorization: 'Basic eA==', 'X-Emby-Token': 'secret' },
      sharing: 'shared',
      egress: { kind: 'socks5', url: 'socks5://u:p@vpn:1080' },
      max_connections: 2,
      strict_live_ts: true,
      use_sticky_session: true,
      enable_silence_detection: true,
      silence_threshold_db: -50,
      silence_duration: 3,
      silence_check_interval: 10,
      silence_failover_threshold: 3,
      silence_monitoring_grace_period: 15,
      hls_low_latency: 'strip',
      something_of_tomorrow: { nested: [1] },
    };
    await api.call('POST', '/streams', { json });
    expect(api.streams.inputs).toEqual([
      {
        url: LIVE,
        failoverUrls: [],
        failoverResolverUrl: json.failover_resolver_url,
        userAgent: 'TiviMate/5',
        headers: json.headers,
        metadata: {},
        sharing: 'shared',
        egress: { kind: 'socks5', url: 'socks5://u:p@vpn:1080', resolve: 'local' },
        maxConnections: 2,
        options: {
          strictLiveTs: true,
          useStickySession: true,
          enableSilenceDetection: true,
          silenceThresholdDb: -50,
          silenceDurationSeconds: 3,
          silenceCheckIntervalSeconds: 10,
          silenceFailoverThreshold: 3,
          silenceMonitoringGraceSeconds: 15,
          lowLatency: 'strip',
        },
      },
    ]);
  });

  it('takes null for every optional field, and [] for an empty map', async () => {
    await using api = await startApi();
    const json = {
      url: LIVE,
      failover_urls: null,
      failover_resolver_url: null,
      user_agent: null,
      headers: [],
      metadata: [],
      sharing: null,
      strict_live_ts: null,
      silence_duration: null,
    };
    const { status } = await api.call('POST', '/streams', { json });
    expect(status).toBe(200);
    expect(api.streams.inputs[0]).toMatchObject({ headers: {}, metadata: {}, failoverUrls: [] });
  });

  it('drops null headers, and those that each connection has of its own', async () => {
    await using api = await startApi();
    const headers = { 'X-A': null, 'X-B': 'b', Host: 'elsewhere', 'keep-alive': '1', Range: 'x' };
    const { body } = await api.call('POST', '/streams', { json: { url: LIVE, headers } });
    expect(api.streams.inputs[0]?.headers).toEqual({ 'X-B': 'b' });
    expect(body.ignored_headers).toEqual(['Host', 'keep-alive', 'Range']);
  });

  it('keeps a stream that is posted again, and says that it was updated', async () => {
    await using api = await startApi();
    const first = await api.call('POST', '/streams', { json: { url: LIVE } });
    const again = await api.call('POST', '/streams', {
      json: { url: LIVE, metadata: { id: 8 }, user_agent: 'VLC' },
    });
    expect(again.body).toMatchObject({ stream_id: first.body.stream_id, updated: true });
    const { body } = await api.call('GET', '/streams');
    expect(body).toMatchObject({ total: 1, streams: [{ metadata: { id: '8' } }] });
  });

  it('names what acts later because somebody watches', async () => {
    await using api = await startApi();
    const first = await api.call('POST', '/streams', { json: { url: LIVE } });
    api.streams.watch(idOf(first.body), 'tv');
    const { body } = await api.call('POST', '/streams', { json: { url: LIVE, user_agent: 'VLC' } });
    expect(body.applied_later).toContain('user_agent');
  });

  it('answers 503 with a time to come back while the store is away', async () => {
    await using api = await startApi();
    api.streams.storeFailure = new DependencyError('STORE_UNAVAILABLE', { message: 'Away.' });
    const { status, headers, body } = await api.call('POST', '/streams', { json: { url: LIVE } });
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body.code).toBe('STORE_UNAVAILABLE');
  });

  it('creates one stream when five callers post one URL at the same time', async () => {
    await using api = await startApi();
    const posts = [1, 2, 3, 4, 5].map(() => api.call('POST', '/streams', { json: { url: LIVE } }));
    const ids = (await Promise.all(posts)).map(({ body }) => body.stream_id);
    expect(new Set(ids)).toEqual(new Set([LIVE_ID]));
    expect((await api.call('GET', '/stats')).body.total_streams).toBe(1);
  });
});

describe('metadata', () => {
  it.each([
    ['a string', 'CNN', 'CNN'],
    ['an integer', 5, '5'],
    ['a fraction', 1.5, '1.5'],
    ['true', true, 'True'],
    ['false', false, 'False'],
    ['an empty string', '', ''],
  ])('turns %s into text, and shows it everywhere', async (_what, given, text) => {
    await using api = await startApi();
    const json = { url: LIVE, metadata: { channel_id: given } };
    const created = await api.call('POST', '/streams', { json });
    expect(created.body.metadata).toEqual({ channel_id: text });
    const { body } = await api.call('GET', '/streams');
    expect(body.streams[0].metadata).toEqual({ channel_id: text });
  });

  it.each([
    ['an object', { nested: 1 }],
    ['an array', [1]],
    ['null', null],
    ['an integer that a double cannot hold', 2 ** 53],
  ])('refuses %s as a value, by its name', async (_what, value) => {
    await using api = await startApi();
    const json = { url: LIVE, metadata: { good: 1, bad: value } };
    const { status, body } = await api.call('POST', '/streams', { json });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ loc: ['body', 'metadata', 'bad'] }]);
  });

  it('keeps keys that objects have of their own accord', async () => {
    await using api = await startApi();
    const raw = `{"url":"${LIVE}","metadata":{"constructor":"a","toString":"b"}}`;
    const headers = { 'Content-Type': 'application/json' };
    const { body } = await api.call('POST', '/streams', { raw, headers });
    expect(body.metadata).toEqual({ constructor: 'a', toString: 'b' });
    const listed = await api.call('GET', '/streams/by-metadata?field=valueOf&value=x');
    expect(listed.body.total_matching).toBe(0);
  });
});

describe('GET /streams', () => {
  it('lists streams with every key that m3u-editor reads, and whether somebody watches', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE, failover_urls: [BACKUP] } });
    api.streams.watch(asStreamId(LIVE_ID), 'tv');
    const { body } = await api.call('GET', '/streams');
    expect(body.streams).toEqual([
      {
        stream_id: LIVE_ID,
        original_url: LIVE,
        current_url: LIVE,
        user_agent: 'penstock-test',
        client_count: 1,
        total_bytes_served: 1_310_720,
        total_segments_served: 0,
        error_count: 0,
        is_active: true,
        slate: null,
        has_failover: true,
        failover_urls: [BACKUP],
        failover_resolver_url: null,
        current_failover_index: -1,
        failover_attempts: 0,
        last_failover_time: null,
        stream_type: 'Live Continuous',
        created_at: '2023-11-14T22:13:20.000000+00:00',
        last_access: '2023-11-14T22:13:20.000000+00:00',
        metadata: {},
        headers: {},
        media_info: {},
        output_media_info: {},
        sharing: null,
        egress: null,
        max_connections: null,
      },
    ]);
  });

  it('filters by whether somebody watches', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: HLS } });
    await api.call('POST', '/streams', { json: { url: LIVE } });
    api.streams.watch(asStreamId(LIVE_ID), 'tv');
    const ids = async (query: string) =>
      (await api.call('GET', `/streams${query}`)).body.streams.map(idOf);
    expect(await ids('')).toEqual([md5(HLS), LIVE_ID]);
    expect(await ids('?active=true')).toEqual([LIVE_ID]);
    expect(await ids('?active=0')).toEqual([md5(HLS)]);
    expect((await api.call('GET', '/streams?active=maybe')).status).toBe(422);
  });
});

describe('one stream', () => {
  it('is shown with its viewers, and counts as used', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE } });
    api.streams.watch(asStreamId(LIVE_ID), 'tv');
    const { body } = await api.call('GET', `/streams/${LIVE_ID}`);
    expect(body.stream).toMatchObject({ stream_id: LIVE_ID, original_url: LIVE });
    expect(body.client_count).toBe(1);
    expect(body.clients).toEqual([
      {
        client_id: 'tv',
        stream_id: LIVE_ID,
        user_agent: 'VLC/3.0',
        ip_address: '203.0.113.9',
        username: 'alice',
        bytes_served: 1_310_720,
        segments_served: 0,
        created_at: '2023-11-14T22:13:20.000000+00:00',
        last_access: '2023-11-14T22:13:20.000000+00:00',
        is_connected: true,
        hls: null,
      },
    ]);
    expect(api.streams.touched).toEqual([LIVE_ID]);
  });

  it('is deleted with a message that says so, and is then unknown', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE } });
    const deleted = await api.call('DELETE', `/streams/${LIVE_ID}`);
    expect(deleted.body.message).toMatch(/deleted/);
    expect(api.streams.removals).toMatchObject([{ removal: { reason: 'manual_deletion' } }]);
    expect((await api.call('DELETE', `/streams/${LIVE_ID}`)).status).toBe(404);
  });

  it.each([
    ['GET', `/streams/${UNKNOWN_ID}`],
    ['DELETE', `/streams/${UNKNOWN_ID}`],
    ['POST', `/streams/${UNKNOWN_ID}/failover`],
    ['GET', '/streams/unknown'],
    ['GET', `/streams/${'A'.repeat(32)}`],
    ['DELETE', '/streams/..%2Fetc'],
  ])('is 404 for an unknown id: %s %s', async (method, path) => {
    await using api = await startApi();
    const { status, body } = await api.call(method, path);
    expect(status).toBe(404);
    expect(body).toMatchObject({ detail: 'Stream not found', code: 'STREAM_NOT_FOUND' });
  });
});

describe('POST /streams/{stream_id}/failover', () => {
  it('moves the stream on, with the empty array that PHP sends for no body', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE, failover_urls: [BACKUP] } });
    const { status, body } = await api.call('POST', `/streams/${LIVE_ID}/failover`, { json: [] });
    expect(status).toBe(200);
    expect(body).toEqual({
      message: 'Failover done',
      new_url: BACKUP,
      failover_index: 0,
      failover_attempts: 1,
      active_clients: 0,
      stream_type: 'Live Continuous',
    });
    const { body: after } = await api.call('GET', `/streams/${LIVE_ID}`);
    expect(after.stream).toMatchObject({
      current_url: BACKUP,
      current_failover_index: 0,
      last_failover_time: '2023-11-14T22:13:20.000000+00:00',
    });
  });

  it('is 400 without a backup, and 502 when the last one is used up', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: HLS } });
    const none = await api.call('POST', `/streams/${md5(HLS)}/failover`);
    expect(none).toMatchObject({ status: 400, body: { code: 'FAILOVER_NOT_CONFIGURED' } });
    await api.call('POST', '/streams', { json: { url: LIVE, failover_urls: [BACKUP] } });
    await api.call('POST', `/streams/${LIVE_ID}/failover`);
    const over = await api.call('POST', `/streams/${LIVE_ID}/failover`);
    expect(over).toMatchObject({ status: 502, body: { code: 'ALL_SOURCES_FAILED' } });
  });
});
