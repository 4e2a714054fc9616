import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { apiDocument } from '../support/api-contract.ts';
import { startApi } from '../support/api-under-test.ts';

const TOTALS = {
  total_streams: 0,
  active_streams: 0,
  total_clients: 0,
  active_clients: 0,
  total_bytes_served: 3_408_988,
  total_segments_served: 1,
  uptime_seconds: 90_061,
};

describe('the service', () => {
  it('shows at / that it runs', async () => {
    await using api = await startApi();
    const { status, body } = await api.call('GET', '/');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'running', version: '0.1.0', stats: TOTALS });
  });

  it('goes on counting its uptime past a day', async () => {
    await using api = await startApi();
    expect((await api.call('GET', '/')).body.uptime).toBe(90_061);
  });

  it('shows at /health what m3u-proxy shows there', async () => {
    await using api = await startApi();
    const { status, body } = await api.call('GET', '/health');
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'healthy',
      root_path: '/m3u-proxy',
      version: '0.1.0',
      uptime_seconds: 90_061,
      active_streams: 0,
      active_clients: 0,
      total_bytes_served: 3_408_988,
      stats: TOTALS,
      redis: 'ok',
    });
  });

  it('says that it is degraded while Redis is away, and lives on', async () => {
    await using api = await startApi({ readiness: () => ({ redis: 'away' }) });
    const health = await api.call('GET', '/health');
    expect(health).toMatchObject({ status: 200, body: { status: 'degraded', redis: 'away' } });
    const liveness = await api.call('GET', '/healthz');
    expect(liveness).toMatchObject({ status: 200, body: { status: 'ok', redis: 'away' } });
  });

  it('answers a health check that asks with HEAD', async () => {
    await using api = await startApi();
    expect(await api.call('HEAD', '/healthz')).toMatchObject({ status: 200, text: '' });
  });

  it('shows at /info every key that m3u-editor needs, and no secret', async () => {
    await using api = await startApi({ settings: { apiToken: 'a-secret-token' } });
    const { body, text } = await api.call('GET', '/info?api_token=a-secret-token');
    expect(body).toMatchObject({
      version: '0.1.0',
      ffmpeg_version: null,
      streamlink_version: null,
      ytdlp_version: null,
      hardware_acceleration: { enabled: false, type: 'cpu', device: null, ffmpeg_args: [] },
      redis: { pooling_enabled: true, host: null, password: null, mode: 'embedded' },
    });
    expect(text).not.toContain('a-secret-token');
  });
});

describe('statistics', () => {
  const LIVE = 'http://127.0.0.1:18100/live/ch1.ts';
  const ID = asStreamId('979cfa88ba6a71e39a332d4d326754dd');

  it('are at the top level of /stats, beside streams and viewers', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE } });
    api.streams.watch(ID, 'tv');
    const { body } = await api.call('GET', '/stats');
    expect(body).toMatchObject({ total_streams: 1, active_streams: 1, active_clients: 1 });
    expect(body.streams).toHaveLength(1);
    expect(body.clients).toHaveLength(1);
  });

  it('come in the groups of m3u-proxy', async () => {
    await using api = await startApi();
    const detailed = await api.call('GET', '/stats/detailed');
    expect(detailed.body).toMatchObject({ proxy_stats: TOTALS, stream_count: 0, client_count: 0 });
    const performance = await api.call('GET', '/stats/performance');
    expect(performance.body).toMatchObject({ connection_pool: {}, error_stats: {} });
    expect(Date.parse(performance.body.timestamp)).toBeGreaterThan(1_700_000_000_000);
  });

  it.each(['/clients', '/stats/clients'])('list viewers at %s', async (path) => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE } });
    api.streams.watch(ID, 'tv');
    const { body } = await api.call('GET', path);
    expect(body).toMatchObject({
      total_clients: 1,
      clients: [{ client_id: 'tv', username: 'alice' }],
    });
  });

  it('list streams at /stats/streams', async () => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: LIVE } });
    const { body } = await api.call('GET', '/stats/streams');
    expect(body).toMatchObject({ total_streams: 1, streams: [{ stream_id: ID }] });
  });
});

describe('DELETE /hls/{stream_id}/clients/{client_id}', () => {
  const post = { json: { url: 'http://example.com/a.m3u8' } };

  it('ends the viewer there, and only there', async () => {
    await using api = await startApi();
    const one = (await api.call('POST', '/streams', post)).body.stream_id;
    const other = asStreamId('f'.repeat(32));
    api.streams.watch(one, 'tv');
    api.streams.watch(other, 'tv');
    const { body } = await api.call('DELETE', `/hls/${one}/clients/tv`);
    expect(body.removed).toBe(true);
    expect(api.streams.viewers()).toMatchObject([{ streamId: other }]);
  });

  it('ends the viewer wherever it watches when the stream is another', async () => {
    await using api = await startApi();
    const { body } = await api.call('POST', '/streams', post);
    api.streams.watch(body.stream_id, 'a b&c');
    const reply = await api.call('DELETE', `/hls/whatever/clients/${encodeURIComponent('a b&c')}`);
    expect(reply.body.removed).toBe(true);
  });

  it('answers 200 also for a viewer that nobody knows', async () => {
    await using api = await startApi();
    const reply = await api.call('DELETE', '/hls/x/clients/y');
    expect(reply).toMatchObject({ status: 200, body: { removed: false } });
  });
});

describe('documentation', () => {
  it('is the API document, whole, at /openapi.json', async () => {
    await using api = await startApi();
    expect((await api.call('GET', '/openapi.json')).body).toEqual(apiDocument);
  });

  it.each(['/docs/', '/m3u-proxy/docs/'])('is a page of own files at %s', async (path) => {
    await using api = await startApi();
    const page = await api.call('GET', path);
    expect(page.text).toContain('<title>Penstock API</title>');
    expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const links = [...page.text.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      const file = await fetch(new URL(link ?? '', `${api.url}${path}`));
      expect(file.status).toBe(200);
      await file.arrayBuffer();
    }
  });

  it('loads the document that lies beside it', async () => {
    await using api = await startApi();
    const script = await fetch(`${api.url}/docs/swagger-ui-init.js`);
    expect(await script.text()).toContain('"swaggerUrl": "../openapi.json"');
  });

  it.each([
    ['/redoc', 'docs/'],
    ['/m3u-proxy/redoc/', '../docs/'],
  ])('leads from %s to the page', async (path, location) => {
    await using api = await startApi();
    const { status, headers } = await api.call('GET', path);
    expect({ status, location: headers.get('location') }).toEqual({ status: 307, location });
  });

  it('leads from /docs into its folder without naming a host or a prefix', async () => {
    await using api = await startApi();
    const { status, headers } = await api.call('GET', '/m3u-proxy/docs?x=1');
    expect(status).toBe(307);
    expect(headers.get('location')).toBe('docs/?x=1');
  });
});
