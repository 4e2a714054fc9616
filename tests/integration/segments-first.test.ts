import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createApp } from '#api/app';
import { hlsHandlers, hlsRoutes } from '#api/routes/hls.routes';
import { segmentsFirst } from '#api/segments-first';
import { asClientId, asStreamId } from '#kernel/ids';
import { startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { appDeps } from '../support/api-under-test.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { title } from '../support/hls-titles.ts';
import { fetchOnce } from '../support/viewer.ts';

/** The app with the short way before it; `asked` counts what the app itself was asked. */
async function start({ sizeBytes = 50_000, viewerIdleMs = 10_000 } = {}) {
  const titled = title(2, { sizeBytes });
  const provider = await startFakeProvider(titled.routes);
  const bench = await startHls({ hls: { viewerIdleMs } });
  const deps = appDeps({ delivery: [hlsRoutes(hlsHandlers({ hls: bench.hls }))] });
  const app = createApp(deps);
  let asked = 0;
  const counted: typeof app = Object.assign((...[req, res]: Parameters<typeof app>) => {
    asked += 1;
    app(req, res);
  }, app);
  const options = { hls: bench.hls, rootPath: '/m3u-proxy', meter: deps.metrics };
  const server = createServer(segmentsFirst(counted, options));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const id = await bench.create(provider.url('/v/index.m3u8'));
  const url = `${base}/hls/${id}/playlist.m3u8?client_id=one`;
  const [link = ''] = linksIn(await (await fetch(url)).text(), url);
  const body = titled.bodies[0] ?? Buffer.alloc(0);
  return {
    bench,
    id,
    link,
    body,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await bench[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

describe('a segment in memory', () => {
  it('is given without the app, as the app would have given it', async () => {
    await using service = await start();
    const [slow, fast] = [await fetchOnce(service.link), await fetchOnce(service.link)];
    const varying = { date: '', 'x-request-id': '' };
    expect(service.asked()).toBe(2);
    expect({ ...fast.headers, ...varying }).toEqual({ ...slow.headers, ...varying });
    expect(fast.headers['x-request-id']).toMatch(/^[\w-]{36}$/);
    expect([fast.status, fast.body().equals(service.body)]).toEqual([200, true]);
    const prefixed = service.link.replace('/hls/', '/m3u-proxy/hls/');
    expect((await fetchOnce(prefixed)).body().equals(service.body)).toBe(true);
    expect(service.asked()).toBe(2);
  });

  it('counts for its viewer as any other', async () => {
    await using service = await start();
    for (let n = 0; n < 3; n += 1) await fetchOnce(service.link);
    const [viewer] = service.bench.registry.viewers(asStreamId(service.id));
    expect(viewer).toMatchObject({ segmentsServed: 3 });
    expect(service.bench.hls.countsOf(asStreamId(service.id))?.stream).toMatchObject({
      requests: 3,
      cacheHits: 2,
      fetched: 1,
      bytes: 150_000,
    });
  });

  it.each([
    ['a part is asked for', { range: 'bytes=0-9' }, 206],
    ['its request has a name', { 'x-request-id': 'mine' }, 200],
    ['its viewer says who it is', { authorization: 'Basic YTpi' }, 200],
  ])('is given by the app when %s', async (_name, headers, code) => {
    await using service = await start();
    await fetchOnce(service.link);
    const got = await fetchOnce(service.link, { headers });
    expect([got.status, service.asked()]).toEqual([code, 3]);
  });

  it('reaches a viewer that takes it more slowly than others grow idle', async () => {
    await using service = await start({ sizeBytes: 16_000_000, viewerIdleMs: 100 });
    await fetchOnce(service.link);
    const response = await fetch(service.link);
    expect(service.asked()).toBe(2);
    await sleep(4_000); // Three target durations, and the socket is full.
    expect((await response.arrayBuffer()).byteLength).toBe(16_000_000);
  });

  it('is given by the app to a viewer whose session has ended, and to one who is new', async () => {
    await using service = await start();
    await fetchOnce(service.link);
    await service.bench.registry.kick(asClientId('one'));
    await fetchOnce(service.link);
    await fetchOnce(service.link.replace('client_id=one', 'client_id=two'));
    expect(service.asked()).toBe(4);
  });

  it('is refused by the app when its link is not ours', async () => {
    await using service = await start();
    await fetchOnce(service.link);
    const got = await fetchOnce(service.link.replace('h=', 'h=A'));
    expect([got.status, service.asked()]).toEqual([403, 3]);
  });

  it('is described without being sent', async () => {
    await using service = await start();
    for (const from of ['source', 'memory']) {
      const got = await fetchOnce(service.link, { method: 'HEAD' });
      expect([from, got.status, got.bytes, got.headers['content-length']]).toEqual([
        from,
        200,
        0,
        '50000',
      ]);
      await fetchOnce(service.link);
    }
  });
});
