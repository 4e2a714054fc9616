import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { type AppError, toAppError } from '#kernel/app-error';
import { selfSignedCertificate, type Certificate } from '../support/certificate.ts';
import { refusedUrl, unknownHostUrl } from '../support/fake-provider.ts';
import { RawOrigin, say, sayAndWait } from '../support/raw-origin.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

const open = { allowPrivate: true, verifyTls: true, maxRedirects: 3 };
const client = createUpstreamClient(open);
const timeouts = { connectMs: 1_000, headersMs: 1_000 };
const never = new AbortController().signal;

type Asked = Partial<Parameters<typeof client.open>[0]>;

async function failureOf(url: string, asked: Asked = {}, by = client): Promise<AppError> {
  try {
    const request = { method: 'GET', url, headers: {}, timeouts, ...asked } as const;
    const response = await by.open(request, never);
    response.close();
  } catch (error) {
    return toAppError(error);
  }
  throw new Error('The source answered.');
}

let certificate: Certificate;
beforeAll(async () => {
  certificate = selfSignedCertificate();
});

describe('a source that cannot be opened', () => {
  it('is refused when nobody listens', async () => {
    const error = await failureOf(await refusedUrl());
    expect(error).toMatchObject({ code: 'UPSTREAM_REFUSED', details: { reason: 'ECONNREFUSED' } });
  });

  it('is refused when nobody listens on any address of its name', async () => {
    const url = (await refusedUrl()).replace('127.0.0.1', 'localhost');
    expect((await failureOf(url)).code).toBe('UPSTREAM_REFUSED');
  });

  it('is not found when its name is not', async () => {
    expect((await failureOf(unknownHostUrl())).code).toBe('UPSTREAM_DNS');
  });

  it('is not trusted when nobody vouches for its certificate', async () => {
    await using origin = await RawOrigin.start(say('HTTP/1.1 200 OK\r\n\r\n'), { certificate });
    expect((await failureOf(origin.url())).code).toBe('UPSTREAM_TLS');
  });

  it('is a failure of TLS when it speaks plain HTTP on an https URL', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect((await failureOf(`https://127.0.0.1:${port}/`)).code).toBe('UPSTREAM_TLS');
    server.close();
  });

  it('times out within the handshake when it accepts and stays silent on an https URL', async () => {
    const server = createServer(() => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(`https://127.0.0.1:${port}/`, {
      timeouts: { connectMs: 80, headersMs: 5_000 },
    });
    expect(error).toMatchObject({ code: 'UPSTREAM_TIMEOUT', details: { phase: 'connect' } });
    server.close();
  });

  it('times out when it accepts and never answers', async () => {
    await using origin = await RawOrigin.start(() => {});
    const error = await failureOf(origin.url(), { timeouts: { connectMs: 5_000, headersMs: 80 } });
    expect(error).toMatchObject({ code: 'UPSTREAM_TIMEOUT', details: { phase: 'headers' } });
    await expect.poll(() => origin.sockets.size).toBe(0);
  });

  it('times out when its head trickles in for longer than the deadline', async () => {
    await using origin = await RawOrigin.start(sayAndWait('HTTP/1.1 200 OK\r\nX-A: b\r\n'));
    const error = await failureOf(origin.url(), { timeouts: { connectMs: 5_000, headersMs: 80 } });
    expect(error.code).toBe('UPSTREAM_TIMEOUT');
  });

  it('is broken when it resets the connection instead of answering', async () => {
    await using origin = await RawOrigin.start(({ socket }) => void socket.resetAndDestroy());
    expect((await failureOf(origin.url())).code).toBe('UPSTREAM_RESET');
  });

  it('does not speak HTTP when it answers with anything else', async () => {
    await using origin = await RawOrigin.start(sayAndWait('220 ftp.example.com ready\r\n'));
    expect((await failureOf(origin.url())).code).toBe('UPSTREAM_PROTOCOL');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
    'http://0/',
  ])('is forbidden at %s, without a connection', async (url) => {
    expect((await failureOf(url)).code).toBe('UPSTREAM_TARGET_FORBIDDEN');
  });

  it('is forbidden in private ranges when these are closed, by address and by name', async () => {
    const closed = createUpstreamClient({ ...open, allowPrivate: false });
    await using origin = await RawOrigin.start(say('HTTP/1.1 200 OK\r\n\r\n'));
    expect((await failureOf(origin.url(), {}, closed)).code).toBe('UPSTREAM_TARGET_FORBIDDEN');
    const byName = origin.url('/', 'localhost');
    expect((await failureOf(byName, {}, closed)).code).toBe('UPSTREAM_TARGET_FORBIDDEN');
    expect(origin.requests).toHaveLength(0);
  });

  it('is forbidden with another scheme', async () => {
    expect((await failureOf('file:///etc/passwd')).code).toBe('UPSTREAM_TARGET_FORBIDDEN');
  });

  it('says nothing of the URL in what it throws', async () => {
    const secret = 'http://user:hunter2@provider.invalid/live/user/hunter2/1.ts?token=hunter2';
    const error = await failureOf(secret);
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toMatch(
      /hunter2|provider\.invalid/,
    );
  });
});

describe('a source that can be opened', () => {
  it('is reached by https when its certificate need not be verified', async () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    await using origin = await RawOrigin.start(say(text), { certificate });
    const trusting = createUpstreamClient({ ...open, verifyTls: false });
    const request = { method: 'GET', url: origin.url(), headers: {}, timeouts } as const;
    const response = await trusting.open(request, never);
    expect(response.status).toBe(200);
    response.close();
  });

  it('is reached by whichever address of its name answers', async () => {
    await using origin = await RawOrigin.start(say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    const url = origin.url('/', 'localhost'); // Often `::1` first, where nobody listens.
    const response = await client.open({ method: 'GET', url, headers: {}, timeouts }, never);
    expect(response.status).toBe(200);
    response.close();
  });

  it.skipIf(!hasIpv6)('is reached by a literal IPv6 address', async () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    await using origin = await RawOrigin.start(say(text), { host: '::1' });
    const url = origin.url('/', '[::1]');
    const response = await client.open({ method: 'GET', url, headers: {}, timeouts }, never);
    expect(response.status).toBe(200);
    expect(origin.requests[0]).toContain(`Host: [::1]:${origin.port}\r\n`);
    response.close();
  });
});
