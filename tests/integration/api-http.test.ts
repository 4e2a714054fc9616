import { once } from 'node:events';
import { Router } from 'express';
import { describe, expect, it } from 'vitest';
import { serveViewer } from '#api/http/handle';
import { UpstreamError } from '#kernel/app-error';
import { startApi } from '../support/api-under-test.ts';
import { rawRequest } from '../support/raw-request.ts';
import { LogLines } from '../support/log-lines.ts';

const ID = '0'.repeat(32);
const PLAYLIST = `/hls/${ID}/playlist.m3u8`;

/** A playback route that does as `play` says. */
function delivering(play: Parameters<typeof serveViewer>[0]): readonly Router[] {
  const router = Router();
  router.get('/stream/:stream_id', serveViewer(play));
  return [router];
}

/** A playback route whose sources have all failed, the last for this reason. */
const failing = (cause: unknown): readonly Router[] =>
  delivering(() =>
    Promise.reject(new UpstreamError('ALL_SOURCES_FAILED', { message: 'None is left.', cause })),
  );

describe('paths', () => {
  it('answer with and without the root path, but not with it twice', async () => {
    await using api = await startApi();
    expect((await api.call('GET', '/health')).status).toBe(200);
    expect((await api.call('GET', '/m3u-proxy/health')).status).toBe(200);
    expect((await api.call('GET', '/m3u-proxy/m3u-proxy/health')).status).toBe(404);
    expect((await api.call('GET', '/m3u-proxyhealth')).status).toBe(404);
  });

  it('answer with another root path, or with none', async () => {
    await using other = await startApi({ settings: { rootPath: '/tv' } });
    expect((await other.call('GET', '/tv/health')).body.root_path).toBe('/tv');
    expect((await other.call('GET', '/m3u-proxy/health')).status).toBe(404);
    await using none = await startApi({ settings: { rootPath: '' } });
    expect((await none.call('GET', '/health')).status).toBe(200);
    expect((await none.call('GET', '/m3u-proxy/health')).status).toBe(404);
  });

  it.each(['/m3u-proxy', '/m3u-proxy/', '/m3u-proxy?a=b', '/health/', '/m3u-proxy/streams/'])(
    'answer at once, with or without a trailing slash: %s',
    async (path) => {
      await using api = await startApi();
      expect((await api.call('GET', path)).status).toBe(200);
    },
  );

  it.each([
    '/unknown',
    `/playlist/${ID}`,
    `/proxy/${ID}/segment.ts`,
    `/direct/${ID}`,
    '/HEALTH',
    '/static//etc/passwd',
    '/static/..%2f..%2fetc/passwd',
    '/stats/other',
  ])('that lead nowhere are 404: %s', async (path) => {
    await using api = await startApi();
    const { status, headers, body } = await api.call('GET', path);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ detail: 'Not Found', code: 'ROUTE_NOT_FOUND' });
  });
});

describe('methods', () => {
  it.each([
    ['HEAD', '/health', 'GET'],
    ['HEAD', '/streams', 'POST, GET'],
    ['OPTIONS', '/streams', 'POST, GET'],
    ['POST', '/health', 'GET'],
    ['PUT', '/streams', 'POST, GET'],
    ['GET', '/streams/oldest-by-metadata', 'DELETE'],
    ['POST', '/streams/by-metadata', 'GET, DELETE'],
    ['GET', `/hls/${ID}/clients/tv`, 'DELETE'],
  ])(
    'that a resource lacks are 405 and name those that it has: %s %s',
    async (method, path, allow) => {
      await using api = await startApi();
      const { status, headers } = await api.call(method, path);
      expect(status).toBe(405);
      expect(headers.get('allow')).toBe(allow);
    },
  );

  it('mind no Connection: upgrade without an Upgrade', async () => {
    await using api = await startApi();
    const answer = await rawRequest(api.port, [
      'GET /m3u-proxy/healthz HTTP/1.1',
      'Host: editor',
      'Connection: upgrade',
      '',
      'GET /healthz HTTP/1.1',
      'Host: editor',
      'Connection: close',
    ]);
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe('other origins', () => {
  const Origin = 'http://elsewhere.example';

  it('may read playback, without credentials', async () => {
    await using api = await startApi();
    const { headers } = await api.call('GET', PLAYLIST, { headers: { Origin } });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    const ranges = ['Content-Length', 'Content-Range', 'Accept-Ranges'];
    expect(exposed).toEqual(expect.arrayContaining(['*', ...ranges, 'X-Proxy-Error']));
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  it.each([
    PLAYLIST,
    `/hls/${ID}/segment.ts`,
    `/stream/${ID}`,
    `/key/abc/stream/${ID}`,
    `/m3u-proxy${PLAYLIST}`,
    '/broadcast/n1/live.m3u8',
    '/broadcast/n1/segment/live000001.ts',
  ])('may ask before they read %s', async (path) => {
    await using api = await startApi();
    const { status, headers } = await api.call('OPTIONS', path, {
      headers: {
        Origin,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'range',
      },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-methods')).toContain('GET');
    const allowed = headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(expect.arrayContaining(['*', 'Authorization', 'Range']));
  });

  it.each(['/streams', '/health', `/hls/${ID}/clients/tv`, '/broadcast/n1/status'])(
    'may not use %s',
    async (path) => {
      await using api = await startApi();
      for (const method of ['GET', 'DELETE'] as const) {
        const read = await api.call(method, path, { headers: { Origin } });
        expect(read.headers.has('access-control-allow-origin')).toBe(false);
      }
      const asked = await api.call('OPTIONS', path, {
        headers: { Origin, 'Access-Control-Request-Method': 'DELETE' },
      });
      expect(asked.status).toBe(405);
      expect(asked.headers.has('access-control-allow-origin')).toBe(false);
    },
  );
});

describe('every answer', () => {
  it('carries a request id, the caller’s own where it is a decent one', async () => {
    await using api = await startApi();
    const own = await api.call('GET', '/healthz', { headers: { 'X-Request-Id': 'abc-1' } });
    expect(own.headers.get('x-request-id')).toBe('abc-1');
    const odd = await api.call('GET', '/streams/x', { headers: { 'X-Request-Id': 'a b{c}' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(odd.body.request_id).toBe(odd.headers.get('x-request-id'));
  });

  it('tells browsers to believe its type, and management not to keep or frame it', async () => {
    await using api = await startApi();
    const { headers } = await api.call('GET', '/streams');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.has('x-powered-by')).toBe(false);
    expect(headers.has('etag')).toBe(false);
  });
});

describe('bodies', () => {
  const post = { 'Content-Type': 'application/json' };

  it.each([
    ['broken JSON', '{"url":', post],
    ['nothing', '', post],
    ['no object', '"text"', post],
    ['an array', '[]', post],
    [
      'another type',
      'url=http://example.com/a.ts',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
    ],
    ['an unknown encoding', 'x', { ...post, 'Content-Encoding': 'compress' }],
    ['an unknown charset', '{}', { 'Content-Type': 'application/json; charset=klingon' }],
  ])('with %s are 422', async (_what, raw, headers) => {
    await using api = await startApi();
    const { status, body } = await api.call('POST', '/streams', { raw, headers });
    expect(status).toBe(422);
    expect(body.code).toBe('INPUT_INVALID');
  });

  it('of more than 1 MiB are 413', async () => {
    await using api = await startApi();
    const json = { url: 'http://example.com/a.ts', filler: 'x'.repeat(1024 * 1024) };
    const { status, body } = await api.call('POST', '/streams', { json });
    expect(status).toBe(413);
    expect(body.code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('failures', () => {
  it('that nobody foresaw say nothing of themselves but their request id', async () => {
    const logger = new LogLines();
    await using api = await startApi({ logger });
    api.streams.storeFailure = new Error('secret of the inside');
    const json = { url: 'http://example.com/a.ts' };
    const response = await fetch(`${api.url}/streams`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(json),
    });
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain('secret');
    const failure = logger.lines.find(({ level }) => level === 'error');
    expect(failure?.fields).toMatchObject({ requestId: response.headers.get('x-request-id') });
  });

  it('of a source before the first byte are real statuses, 504 where it was late', async () => {
    const late = new UpstreamError('UPSTREAM_TIMEOUT', { message: 'Late.' });
    await using dead = await startApi({ delivery: failing(new Error('refused')) });
    expect((await dead.call('GET', `/stream/${ID}`)).status).toBe(502);
    await using slow = await startApi({ delivery: failing(late) });
    expect((await slow.call('GET', `/stream/${ID}`)).status).toBe(504);
  });

  it('after the first byte break the transfer, so that it does not look complete', async () => {
    const delivery = delivering(async ({ res }) => {
      res.writeHead(200, { 'Content-Type': 'video/mp2t' });
      res.write('some');
      throw new UpstreamError('UPSTREAM_RESET', { message: 'Cut.' });
    });
    await using api = await startApi({ delivery });
    const response = fetch(`${api.url}/stream/${ID}`).then((answer) => answer.text());
    await expect(response).rejects.toThrow('terminated');
  });

  it('are none when the viewer has left, also before the first byte', async () => {
    const logger = new LogLines();
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<unknown>();
    const delivery = delivering(async ({ gone }) => {
      asked.resolve();
      await once(gone, 'abort');
      left.resolve(gone.reason);
      throw gone.reason;
    });
    await using api = await startApi({ delivery, logger });
    const viewer = new AbortController();
    const watching = fetch(`${api.url}/stream/${ID}`, { signal: viewer.signal });
    await asked.promise;
    viewer.abort();
    await expect(watching).rejects.toThrow('aborted');
    expect(await left.promise).toMatchObject({ name: 'AbortError' });
    await logger.next('request');
    expect(logger.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});

describe('the access log', () => {
  it('has one line per request, without ids, tokens and addresses', async () => {
    const logger = new LogLines();
    await using api = await startApi({ logger, settings: { apiToken: 'tok-en' } });
    await api.call('GET', `/m3u-proxy/streams/${ID}?api_token=tok-en&username=alice`);
    const { level, fields } = await logger.next('request');
    expect(level).toBe('info');
    expect(fields).toMatchObject({ method: 'GET', route: '/streams/:stream_id', status: 404 });
    expect(fields['bytes']).toBeGreaterThan(0);
    expect(JSON.stringify(fields)).not.toMatch(/tok-en|alice|00000/);
  });

  it('is quiet about what is polled', async () => {
    const logger = new LogLines();
    await using api = await startApi({ logger });
    await api.call('GET', '/healthz');
    expect(await logger.next('request')).toMatchObject({ level: 'debug' });
  });
});
