import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { AxiosProbe } from '#adapters/http/probe';
import { createTextClient } from '#adapters/http/text-client';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { egressFrom, headersVia } from '#upstream';
import type { Egress } from '#upstream';
import { selfSignedCertificate } from '../../scripts/faultd.d/certificate.ts';
import type { Certificate } from '../../scripts/faultd.d/certificate.ts';
import { refusedUrl } from '../../scripts/faultd.d/fake-provider.ts';
import { collectBody } from '../support/collect-body.ts';
import { TestProxy } from '../support/proxies.ts';

const OPTIONS = { allowPrivate: true, verifyTls: false, maxRedirects: 3 };
const never = new AbortController().signal;
const timeouts = { connectMs: 2_000, headersMs: 2_000 };
const SECRET = 'pass%20word';

let certificate: Certificate;
beforeAll(() => {
  certificate = selfSignedCertificate();
});

/** A source that says who asked, and keeps the requests. */
async function startOrigin(options: { isSecure?: boolean; answer?: RequestListener } = {}) {
  const requests: IncomingMessage[] = [];
  const ports: number[] = [];
  const addresses: (string | undefined)[] = [];
  const answer: RequestListener = (request, response) => {
    requests.push(request);
    ports.push(request.socket.remotePort ?? 0);
    addresses.push(request.socket.remoteAddress);
    if (options.answer) options.answer(request, response);
    else response.setHeader('content-type', 'video/mp2t').end(`${request.url}`);
  };
  const server = options.isSecure ? createSecureServer(certificate, answer) : createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const scheme = options.isSecure ? 'https' : 'http';
  return {
    requests,
    ports,
    addresses,
    port,
    url: (path: string, host = '127.0.0.1') => `${scheme}://${host}:${port}${path}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Clients = { readonly egress?: Egress | undefined; readonly allowPrivate?: boolean };

async function bytesFrom(url: string, egress: Egress | undefined, client: Clients = {}) {
  const upstream = createUpstreamClient({ ...OPTIONS, ...client });
  const headers = headersVia(egress, { 'X-Source': 'yes' });
  const response = await upstream.open({ method: 'GET', url, headers, timeouts }, never);
  const { text } = await collectBody(response);
  return { text, finalUrl: response.finalUrl };
}

async function textFrom(url: string, egress: Egress | undefined, client: Clients = {}) {
  const texts = createTextClient({ ...OPTIONS, ...client });
  try {
    const headers = headersVia(egress, { 'X-Source': 'yes' });
    return await texts.get({ url, headers, maxBytes: 10_000, timeoutMs: 2_000 }, never);
  } finally {
    texts.close();
  }
}

const EITHER = [
  ['a body', bytesFrom],
  ['a text', textFrom],
] as const;

async function failureOf(attempt: Promise<unknown>): Promise<AppError> {
  try {
    await attempt;
  } catch (error) {
    return toAppError(error);
  }
  throw new Error('It worked.');
}

const proxied = (url: string): Egress => egressFrom(url, undefined) ?? { kind: 'direct' };

describe.each(EITHER)('%s', (_what, from) => {
  it.each([
    ['http', false, '127.0.0.1'],
    ['http', true, '127.0.0.1'],
    ['socks5', false, '127.0.0.1'],
    ['socks5', true, '127.0.0.1'],
    ['socks5h', false, 'source.example'],
    ['http', true, 'source.example'],
  ] as const)('goes through a proxy: %s, TLS %s, to %s', async (scheme, isSecure, host) => {
    await using origin = await startOrigin({ isSecure });
    await using proxy = scheme === 'http' ? await TestProxy.connect() : await TestProxy.socks5();
    const { text } = await from(origin.url('/a?b=%2f', host), proxied(proxy.url(scheme)));
    expect(text).toBe('/a?b=%2f');
    expect(proxy.asked).toEqual([{ host, port: origin.port }]);
    expect(origin.ports).toEqual(proxy.ports);
    expect(origin.requests[0]?.headers).toMatchObject({ 'x-source': 'yes' });
    expect(origin.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it.each(['http', 'socks5'])('says who it is to a proxy that asks: %s', async (scheme) => {
    await using origin = await startOrigin();
    const options = { credentials: 'us er:pass word' };
    await using proxy =
      scheme === 'http' ? await TestProxy.connect(options) : await TestProxy.socks5(options);
    const right = proxied(proxy.url(scheme, `us%20er:${SECRET}`));
    expect((await from(origin.url('/a'), right)).text).toBe('/a');
    for (const url of [proxy.url(scheme, `x:${SECRET}`), proxy.url(scheme)]) {
      const error = await failureOf(from(origin.url('/a'), proxied(url)));
      expect(error).toMatchObject({ code: 'EGRESS_FAILED', details: { reason: 'auth' } });
      expect(JSON.stringify(error) + error.message).not.toContain(SECRET);
    }
    expect(origin.requests).toHaveLength(1);
  });

  it('asks nothing of the source past a proxy that is down', async () => {
    await using origin = await startOrigin();
    const dead = (await refusedUrl()).replace(/\/[^/]*$/, '');
    for (const url of [dead, dead.replace('http:', 'socks5:')]) {
      const error = await failureOf(from(origin.url('/a'), proxied(url)));
      expect(error).toMatchObject({ code: 'EGRESS_FAILED', details: { reason: 'unreachable' } });
    }
    const nowhere = proxied('http://proxy.invalid:1');
    const error = await failureOf(from(origin.url('/a'), nowhere));
    expect(error).toMatchObject({ code: 'EGRESS_FAILED', details: { reason: 'dns' } });
    expect(origin.requests).toHaveLength(0);
  });

  it.each([
    ['http', 502, 'UPSTREAM_REFUSED'],
    ['http', 403, 'EGRESS_FAILED'],
    ['socks5', 5, 'UPSTREAM_REFUSED'],
    ['socks5', 2, 'EGRESS_FAILED'],
  ])('tells whose failure it is: %s says %d', async (scheme, refusal, code) => {
    await using origin = await startOrigin();
    const options = { refusal };
    await using proxy =
      scheme === 'http' ? await TestProxy.connect(options) : await TestProxy.socks5(options);
    expect((await failureOf(from(origin.url('/a'), proxied(proxy.url(scheme))))).code).toBe(code);
    expect(origin.requests).toHaveLength(0);
  });

  it('goes on to where redirects lead by the same way', async () => {
    await using origin = await startOrigin({
      answer: (request, response) => {
        if (request.url === '/b') return response.end('there');
        return response.writeHead(302, { location: '/b' }).end();
      },
    });
    await using proxy = await TestProxy.socks5();
    const { text, finalUrl } = await from(origin.url('/a'), proxied(proxy.url('socks5')));
    expect({ text, finalUrl }).toEqual({ text: 'there', finalUrl: origin.url('/b') });
    for (const port of origin.ports) expect(proxy.ports).toContain(port);
  });

  it('is judged before a proxy hears of it, as far as it can be', async () => {
    await using proxy = await TestProxy.socks5();
    const client = { egress: proxied(proxy.url('socks5h')), allowPrivate: false };
    const refused = [
      'http://127.0.0.1/',
      'http://[::1]/',
      'http://localhost/',
      'http://10.1.2.3/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://metadata.google.internal/',
    ];
    const template = { ...client, egress: egressFrom('http://hop.example/{b64}', undefined) };
    for (const url of refused) {
      for (const way of [client, template]) {
        const { code } = await failureOf(from(url, undefined, way));
        expect([url, code]).toEqual([url, 'UPSTREAM_TARGET_FORBIDDEN']);
      }
    }
    const looksUp = { ...client, egress: proxied(proxy.url('socks5')) };
    expect((await failureOf(from('http://localhost/', undefined, looksUp))).code).toBe(
      'UPSTREAM_TARGET_FORBIDDEN',
    );
    expect(proxy.asked).toEqual([]);
  });

  it('does not go by a proxy of a stream in the own network, where sources may not be there', async () => {
    await using proxy = await TestProxy.connect();
    const own = proxied(proxy.url('http'));
    const attempt = from('http://192.0.2.1/', own, { allowPrivate: false });
    expect((await failureOf(attempt)).code).toBe('UPSTREAM_TARGET_FORBIDDEN');
    expect(proxy.asked).toEqual([]);
  });

  it('comes from the address that it is to come from, or not at all', async () => {
    await using origin = await startOrigin();
    const from2: Egress = { kind: 'direct', localAddress: '127.0.0.2' };
    await from(origin.url('/a'), from2);
    expect(origin.addresses).toEqual(['127.0.0.2']);
    const strange: Egress = { kind: 'direct', localAddress: '192.0.2.77' };
    expect((await failureOf(from(origin.url('/b'), strange))).code).toBe('EGRESS_FAILED');
    expect(origin.requests).toHaveLength(1);
  });

  it('goes by the next hop of a template, headers and all, and so do its redirects', async () => {
    await using hop = await startOrigin({
      answer: (request, response) => {
        const asked = new URL(request.url ?? '', 'http://hop').searchParams.get('u');
        if (asked !== 'http://source.example/a?b=1&c=2') return response.end(asked ?? request.url);
        return response.writeHead(302, { location: 'http://other.example/c' }).end();
      },
    });
    const egress: Egress = { kind: 'template', template: hop.url('/?u={url_encoded}') };
    const { text } = await from('http://source.example/a?b=1&c=2', egress);
    expect(text).toBe('http://other.example/c');
    expect(hop.requests[0]?.headers).toMatchObject({ 'x-source': 'yes' });
    expect((await from(hop.url('/segment/7'), egress)).text).toBe('/segment/7');
    expect(hop.requests).toHaveLength(3);
  });

  it('goes to a next hop in the own network for its own links too, where sources may not be there', async () => {
    await using hop = await startOrigin();
    const client = {
      allowPrivate: false,
      egress: egressFrom(hop.url('/?u={url_encoded}'), undefined),
    };
    expect((await from(hop.url('/segment/7'), undefined, client)).text).toBe('/segment/7');
    const other = hop.url('/x').replace(String(hop.port), '1');
    expect((await failureOf(from(other, undefined, client))).code).toBe(
      'UPSTREAM_TARGET_FORBIDDEN',
    );
  });

  it('asks nothing of the source past a next hop that is down', async () => {
    await using origin = await startOrigin();
    const template = `${(await refusedUrl()).replace(/\/[^/]*$/, '')}/{b64}`;
    const error = await failureOf(from(origin.url('/a'), { kind: 'template', template }));
    expect(error).toMatchObject({ code: 'EGRESS_FAILED', details: { reason: 'unreachable' } });
    expect(origin.requests).toHaveLength(0);
  });
});

describe('a proxy that says nothing', () => {
  it.each(['http', 'socks5'])('costs the time to connect, and no more: %s', async (scheme) => {
    await using proxy =
      scheme === 'http'
        ? await TestProxy.connect({ isMute: true })
        : await TestProxy.socks5({ isMute: true });
    const upstream = createUpstreamClient(OPTIONS);
    const request = {
      method: 'GET' as const,
      url: 'http://192.0.2.1/',
      headers: headersVia(proxied(proxy.url(scheme)), {}),
      timeouts: { connectMs: 150, headersMs: 2_000 },
    };
    const error = await failureOf(upstream.open(request, never));
    expect(error).toMatchObject({ code: 'EGRESS_FAILED', details: { reason: 'timeout' } });
  });
});

describe('headers that have lost their way', () => {
  it('are sent nowhere by a client that is strict', async () => {
    await using origin = await startOrigin();
    const upstream = createUpstreamClient({ ...OPTIONS, isStrict: true });
    const request = { method: 'GET', url: origin.url('/a'), timeouts } as const;
    const lost = { 'X-Source': 'yes' };
    expect((await failureOf(upstream.open({ ...request, headers: lost }, never))).code).toBe(
      'INTERNAL',
    );
    expect(origin.requests).toHaveLength(0);
    const headers = headersVia(undefined, lost);
    const response = await upstream.open({ ...request, headers }, never);
    expect((await collectBody(response)).text).toBe('/a');
  });
});

describe('the default egress', () => {
  it('serves all who do not say, and none who do', async () => {
    await using origin = await startOrigin();
    await using proxy = await TestProxy.connect();
    const client = { egress: proxied(proxy.url('http')) };
    await bytesFrom(origin.url('/a'), undefined, client);
    await textFrom(origin.url('/b'), undefined, client);
    expect(origin.ports).toEqual(proxy.ports);
    await bytesFrom(origin.url('/c'), { kind: 'direct' }, client);
    expect(proxy.asked).toHaveLength(2);
  });

  it('is what a test of a connection takes too', async () => {
    await using origin = await startOrigin();
    await using proxy = await TestProxy.socks5();
    const probe = new AxiosProbe({ ...OPTIONS, egress: proxied(proxy.url('socks5')) });
    expect(await probe.test(origin.url('/a'), never)).toMatchObject({ success: true });
    expect(proxy.asked).toHaveLength(1);
    probe.close();
  });
});
