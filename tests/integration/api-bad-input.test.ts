import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api-under-test.ts';

type Api = Awaited<ReturnType<typeof startApi>>;

/** Each run is an exchange over a socket; together well under the time of one test. */
const RUNS = { numRuns: 250, interruptAfterTimeLimit: 12_000 };

const STREAM_FIELDS = [
  'url',
  'failover_urls',
  'failover_resolver_url',
  'user_agent',
  'metadata',
  'headers',
  'sharing',
  'strict_live_ts',
  'enable_silence_detection',
  'silence_duration',
  'silence_failover_threshold',
];
const WEBHOOK_FIELDS = ['url', 'events', 'headers', 'timeout', 'retry_attempts', 'secret'];

const anyUrl = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom('http://', 'http:///x', 'HTTP://h', 'http://[::1', 'http://h:99999/', 'http:h'),
  fc.string({ unit: 'binary' }),
);
const anyValue = fc.oneof(fc.jsonValue({ maxDepth: 3 }), anyUrl, fc.array(anyUrl), fc.double());
const oddKey = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'a.b');
const anyMap = fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), oddKey), anyValue);

const bodyOf = (fields: readonly string[]) =>
  fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.oneof(fc.constantFrom(...fields), oddKey), fc.oneof(anyValue, anyMap)),
    fc
      .tuple(fc.webUrl(), anyMap)
      .map(([url, rest]) => ({ ...rest, url, metadata: rest, headers: rest })),
  );

/** Only what a caller can be told: nothing of it may be our fault, and nothing may hang. */
function expectAnswer(status: number): void {
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
}

const json = { 'Content-Type': 'application/json' };

describe('whatever is sent, the answer is a 2xx or a 4xx', () => {
  it.each([
    ['/streams', STREAM_FIELDS],
    ['/webhooks', WEBHOOK_FIELDS],
    ['/test-connection', ['url']],
    ['/webhooks/test', ['webhook_url']],
  ])('for any JSON posted to %s', async (path, fields) => {
    await using api = await startApi();
    const property = fc.asyncProperty(bodyOf(fields), async (body) => {
      const raw = JSON.stringify(body);
      expectAnswer((await api.call('POST', path, { raw, headers: json })).status);
    });
    await expect(fc.assert(property, RUNS)).resolves.toBeUndefined();
  });

  it('for any bytes posted as JSON', async () => {
    await using api = await startApi();
    const bytes = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json().map((text) => text.slice(0, -1)),
    );
    const property = fc.asyncProperty(bytes, async (raw) => {
      expectAnswer((await api.call('POST', '/streams', { raw, headers: json })).status);
    });
    await expect(fc.assert(property, RUNS)).resolves.toBeUndefined();
  });

  const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '%', '%zz', 'true'));

  it.each([
    ['GET', '/streams', ['active']],
    ['GET', '/streams/by-metadata', ['field', 'value', 'active_only']],
    ['GET', '/streams/counts-by-metadata', ['field', 'values', 'active_only']],
    ['DELETE', '/streams/by-metadata', ['field', 'value', 'force', 'client_id']],
    ['DELETE', '/streams/oldest-by-metadata', ['field', 'value', 'exclude_channel_id']],
    ['DELETE', '/webhooks', ['webhook_url']],
    ['POST', '/webhooks/test', ['webhook_url', 'api_token']],
  ])('for any query of %s %s', async (method, path, names) => {
    await using api = await startApi();
    await api.call('POST', '/streams', { json: { url: 'http://example.com/a.ts' } });
    const name = fc.oneof(fc.constantFrom(...names), oddKey);
    const isEncoded = fc.boolean();
    const property = fc.asyncProperty(
      fc.array(fc.tuple(name, anyText, isEncoded)),
      async (pairs) => {
        const query = pairs.map(([key, value, encode]) => `${key}=${inQuery(value, encode)}`);
        expectAnswer((await api.call(method, `${path}?${query.join('&')}`)).status);
      },
    );
    await expect(fc.assert(property, RUNS)).resolves.toBeUndefined();
  });

  it('for any path', async () => {
    await using api = await startApi();
    const segment = fc.oneof(
      anyText.map((text) => inQuery(text, true)),
      fc.constantFrom('..', '%2e%2e', '%00', '%ff', '%', 'streams', 'hls', 'clients', 'docs', ''),
    );
    const method = fc.constantFrom('GET', 'DELETE', 'POST', 'HEAD', 'OPTIONS', 'PATCH');
    const property = fc.asyncProperty(
      fc.array(segment, { maxLength: 5 }),
      method,
      async (path, how) => {
        expectAnswer(await statusOf(api, { method: how, path: `/${path.join('/')}` }));
      },
    );
    await expect(fc.assert(property, RUNS)).resolves.toBeUndefined();
  });

  it('for any headers', async () => {
    await using api = await startApi({ settings: { apiToken: 'token' } });
    const name = fc.constantFrom(
      'X-API-Token',
      'Authorization',
      'X-Forwarded-For',
      'X-Request-Id',
      'Content-Type',
      'Accept',
      'Origin',
      'Range',
      'If-None-Match',
    );
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map(latin1) });
    const property = fc.asyncProperty(fc.dictionary(name, value), async (headers) => {
      expectAnswer(await statusOf(api, { method: 'POST', path: '/streams', headers }));
      expectAnswer(await statusOf(api, { method: 'GET', path: '/health', headers }));
    });
    await expect(fc.assert(property, RUNS)).resolves.toBeUndefined();
  });

  it('for a body that nests and repeats as far as 1 MiB goes', async () => {
    await using api = await startApi();
    const url = 'http://example.com/a.ts';
    const bodies = [
      '['.repeat(500_000),
      `{"url":"${url}","metadata":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      JSON.stringify({ url, failover_urls: Array(200_000).fill('x') }),
      JSON.stringify({ url, metadata: bigMap(60_000) }),
      JSON.stringify({ url, headers: bigMap(60_000) }),
      JSON.stringify({ url: `http://h/${'x'.repeat(900_000)}` }),
    ];
    for (const raw of bodies) {
      const began = performance.now();
      const { status, text } = await api.call('POST', '/streams', { raw, headers: json });
      expect(status).toBe(422);
      expect(text.length).toBeLessThan(2_000);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });
});

const bigMap = (size: number) =>
  Object.fromEntries(Array.from({ length: size }, (_unused, index) => [`k${index}`, 'v']));

const latin1 = (code: number): string => String.fromCharCode(code === 0x7f ? 0x20 : code);

const inQuery = (text: string, encode: boolean): string =>
  encode ? encodeURIComponent(text.toWellFormed()) : text.replaceAll(/[^\x21-\x7e]|[&#]/g, '%');

type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Below `fetch`, which repairs paths and refuses headers. */
async function statusOf({ port }: Api, { method, path, headers }: Exchange): Promise<number> {
  const signal = AbortSignal.timeout(5_000);
  const sent = request({ host: '127.0.0.1', port, method, path, headers, signal }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode ?? 0;
}
