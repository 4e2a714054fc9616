import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ReadMeter } from '#adapters/http/read-meter';
import { createTextClient } from '#adapters/http/text-client';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import type { UpstreamResponse } from '#upstream';
import { MetricsServer } from '../../workers/metrics-server.ts';
import { FakeMetrics, startApi } from '../support/api-under-test.ts';

const GUARD = { allowPrivate: true, verifyTls: true, maxRedirects: 3 };
const BODY = '#EXTM3U\n'.padEnd(200_000, '#');

async function origin() {
  const server = createServer((_req, res) => res.end(BODY)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const drain = (response: UpstreamResponse): Promise<void> =>
  new Promise((end, fail) => response.read({ chunk: () => true, end, fail }));

describe('GET /metrics', () => {
  it('answers on both paths, and takes a token like all of management', async () => {
    await using api = await startApi({ settings: { apiToken: 'secret' } });
    expect(await api.call('GET', '/metrics')).toMatchObject({ status: 401 });
    const headers = { Authorization: 'Bearer secret' };
    for (const path of ['/metrics', '/m3u-proxy/metrics']) {
      const { status, text, headers: got } = await api.call('GET', path, { headers });
      expect({ status, type: got.get('content-type') }).toEqual({
        status: 200,
        type: 'text/plain; version=0.0.4; charset=utf-8',
      });
      expect(text).toContain('a_total 1');
    }
  });

  it('counts requests by the class of their route, whatever is in their paths', async () => {
    const metrics = new FakeMetrics();
    await using api = await startApi({ metrics });
    await api.call('GET', '/healthz');
    await api.call('GET', '/streams/0123456789abcdef0123456789abcdef');
    await api.call('GET', '/no/such/route');
    await expect
      .poll(() => metrics.requests)
      .toEqual(['health 200', 'management 404', 'unknown 404']);
  });
});

describe('bytes read from sources', () => {
  it('are known while they come and when their connection is gone', async () => {
    await using source = await origin();
    const meter = new ReadMeter();
    const client = createUpstreamClient({ ...GUARD, meter });
    const timeouts = { connectMs: 2_000, headersMs: 2_000 };
    const request = { method: 'GET', url: source.url, headers: {}, timeouts } as const;
    const response = await client.open(request, AbortSignal.timeout(5_000));
    expect(meter.bytes).toBeGreaterThan(0);
    await drain(response);
    await expect.poll(() => meter.bytes).toBeGreaterThanOrEqual(BODY.length);
    const first = meter.bytes;
    expect(first).toBeLessThan(BODY.length + 1_000);
    await drain(await client.open(request, AbortSignal.timeout(5_000)));
    expect(meter.bytes).toBe(2 * first);
  });

  it('include playlists, over connections that are kept', async () => {
    await using source = await origin();
    const meter = new ReadMeter();
    const texts = createTextClient({ ...GUARD, meter });
    const request = { url: source.url, headers: {}, maxBytes: 1_000_000, timeoutMs: 2_000 };
    await texts.get(request, AbortSignal.timeout(5_000));
    await texts.get(request, AbortSignal.timeout(5_000));
    expect(meter.bytes).toBeGreaterThanOrEqual(2 * BODY.length);
    texts.close();
  });
});

const open = (apiToken?: string) =>
  MetricsServer.open({ host: '127.0.0.1', port: 0, apiToken, metrics: new FakeMetrics() });

const ask = (port: number, path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000), ...init });

describe('the metrics of a worker', () => {
  it('are there for who has the token', async () => {
    const server = await open('secret');
    const { port } = server;
    const good = await ask(port, '/metrics', { headers: { authorization: 'Bearer secret' } });
    expect(await good.text()).toContain('a_total 1');
    expect((await ask(port, '/metrics', { headers: { 'x-api-token': 'wrong' } })).status).toBe(401);
    expect((await ask(port, '/metrics')).status).toBe(401);
    await Promise.all([server.close(), server.close()]);
    await expect(ask(port, '/metrics')).rejects.toThrow('fetch failed');
  });

  it('are there for all where there is no token, and nothing else is', async () => {
    const server = await open();
    const { port } = server;
    expect((await ask(port, '/metrics')).status).toBe(200);
    expect((await ask(port, '/streams')).status).toBe(404);
    expect((await ask(port, '/metrics', { method: 'POST' })).status).toBe(405);
    await server.close();
  });
});
