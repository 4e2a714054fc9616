import { describe, expect, it } from 'vitest';
import type { UpstreamRequest } from '#upstream';
import { createUpstreamClient } from '../../services/adapters/http/upstream-client.ts';
import { collectBody } from '../support/collect-body.ts';
import { startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import { RawOrigin, type RawAnswer } from '../support/raw-origin.ts';

const OPEN = { allowPrivate: true, verifyTls: true, maxRedirects: 3 };
const never = new AbortController().signal;
const request = (url: string, over: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  method: 'GET',
  url,
  headers: {},
  timeouts: { connectMs: 1000, headersMs: 1000 },
  keepsConnection: true,
  ...over,
});

function startClient(over: Partial<typeof OPEN> = {}) {
  const client = createUpstreamClient({ ...OPEN, ...over });
  const get = async (url: string, more: Partial<UpstreamRequest> = {}): Promise<string> => {
    const { text: body } = await collectBody(await client.open(request(url, more), never));
    return body;
  };
  return { get, [Symbol.dispose]: () => client.close() };
}

/** Answers on one connection for as long as it is asked. */
const keeping =
  (answer: (request: string) => string): RawAnswer =>
  ({ socket, request: first }) => {
    socket.write(answer(first));
    socket.on('data', (bytes) => void socket.write(answer(bytes.toString('latin1'))));
  };

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a connection that is kept', () => {
  it('carries one request after the other', async () => {
    await using provider = await startFakeProvider({
      '/a': text('a'),
      '/b': text('b'.repeat(1e6)),
    });
    using client = startClient();
    for (const path of ['/a', '/b', '/a']) await client.get(provider.url(path));
    expect(provider.requests.map(({ socketId }) => socketId)).toEqual([1, 1, 1]);
    expect(provider.maxSockets).toBe(1);
  });

  it.each([
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['with a length', OK],
    ['HTTP/1.0 that says so', `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${OK.slice(17)}`],
  ])('carries answers that are %s', async (_name, answer) => {
    await using origin = await RawOrigin.start(keeping(() => answer));
    using client = startClient();
    expect([await client.get(origin.url('/1')), await client.get(origin.url('/2'))]).toEqual([
      'ok',
      'ok',
    ]);
    expect(origin.requests).toHaveLength(1);
    expect(origin.requests[0]).toContain('Connection: keep-alive');
  });

  it.each([
    ['its server closes it', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['its server speaks HTTP/1.0', OK.replace('1.1', '1.0')],
    ['bytes follow the answer', `${OK}more`],
  ])('carries no second request when %s', async (_name, answer) => {
    await using origin = await RawOrigin.start(({ socket }) => void socket.write(answer));
    using client = startClient();
    expect([await client.get(origin.url('/1')), await client.get(origin.url('/2'))]).toEqual([
      'ok',
      'ok',
    ]);
    expect(origin.requests).toHaveLength(2);
  });

  it('is replaced by a new one when its server closes it just then', async () => {
    let sockets = 0;
    await using origin = await RawOrigin.start(({ socket }) => {
      sockets += 1;
      socket.write(OK);
      socket.on('data', () => socket.destroy());
    });
    using client = startClient();
    expect(await client.get(origin.url('/1'))).toBe('ok');
    expect(await client.get(origin.url('/2'))).toBe('ok');
    expect(sockets).toBe(2);
  });

  it('carries a redirect and the request that follows it', async () => {
    await using origin = await RawOrigin.start(
      keeping((asked) =>
        asked.startsWith('GET /r')
          ? 'HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 5\r\n\r\nthere'
          : OK,
      ),
    );
    using client = startClient();
    expect([await client.get(origin.url('/r')), await client.get(origin.url('/r'))]).toEqual([
      'ok',
      'ok',
    ]);
    expect(origin.requests).toHaveLength(1);
  });

  it('is not used by requests that want their own', async () => {
    await using provider = await startFakeProvider({ '/a': text('a') });
    using client = startClient();
    await client.get(provider.url('/a'));
    await client.get(provider.url('/a'), { keepsConnection: false });
    expect(provider.requests.map(({ socketId }) => socketId)).toEqual([1, 2]);
  });

  it('is not used by a request to another host of the same address', async () => {
    await using provider = await startFakeProvider({ '/a': text('a') });
    using client = startClient();
    await client.get(provider.url('/a'));
    await client.get(`http://localhost:${provider.port}/a`);
    expect(provider.requests.map(({ socketId }) => socketId)).toEqual([1, 2]);
  });

  it('is closed with its client', async () => {
    await using provider = await startFakeProvider({ '/a': text('a') });
    const client = startClient();
    await client.get(provider.url('/a'));
    expect(provider.sockets).toBe(1);
    client[Symbol.dispose]();
    await provider.until(() => provider.sockets === 0);
  });
});
