import { describe, expect, it } from 'vitest';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { codeOf } from '#kernel/app-error';
import { collectBody } from '../support/collect-body.ts';
import { RawOrigin, type RawAnswer } from '../support/raw-origin.ts';

const client = createUpstreamClient({ allowPrivate: true, verifyTls: true, maxRedirects: 3 });
const timeouts = { connectMs: 1_000, headersMs: 1_000 };
const never = new AbortController().signal;

/** Redirects by the first word of the path: `/302/to` answers 302 with `Location: /to`. */
const redirecting =
  (locationOf: (path: string) => string | undefined): RawAnswer =>
  ({ socket, request }) => {
    const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(request) ?? [];
    const location = locationOf(path);
    const body = method === 'HEAD' ? '' : 'there';
    if (location === undefined) {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${body}`);
    } else {
      const status = /^\/(\d{3})/.exec(path)?.[1] ?? '302';
      socket.write(`HTTP/1.1 ${status} Found\r\nLocation: ${location}\r\n`);
      socket.write('Content-Length: 1000000\r\n\r\nMoved'); // Nobody waits for the rest.
    }
  };

type Asked = { readonly method?: 'GET' | 'HEAD'; readonly headers?: Record<string, string> };

const openAt = (url: string, { method = 'GET', headers = {} }: Asked = {}) =>
  client.open({ method, url, headers, timeouts }, never);

const nextNumber = (path: string): string => `/${Number(path.slice(1)) + 1}`;

const codeAt = (url: string): Promise<string> =>
  openAt(url).then((response) => {
    response.close();
    return `answered ${response.status}`;
  }, codeOf);

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('are followed with status %i', async (status) => {
    await using origin = await RawOrigin.start(
      redirecting((path) => (path === '/there' ? undefined : '/there')),
    );
    const response = await openAt(origin.url(`/${status}`));
    expect(response.status).toBe(200);
    expect(response.finalUrl).toBe(origin.url('/there'));
    expect((await collectBody(response)).text).toBe('there');
    await expect.poll(() => origin.sockets.size).toBe(0);
  });

  it('keep the method', async () => {
    await using origin = await RawOrigin.start(
      redirecting((path) => (path === '/there' ? undefined : '/there')),
    );
    const response = await openAt(origin.url('/303'), { method: 'HEAD' });
    response.close();
    expect(origin.requests.map((request) => request.split(' ', 1)[0])).toEqual(['HEAD', 'HEAD']);
  });

  it('are followed up to the limit', async () => {
    await using origin = await RawOrigin.start(
      redirecting((path) => (path === '/4' ? undefined : nextNumber(path))),
    );
    expect(await codeAt(origin.url('/1'))).toBe('answered 200');
    expect(await codeAt(origin.url('/0'))).toBe('UPSTREAM_REDIRECT_LOOP');
    await expect.poll(() => origin.sockets.size).toBe(0);
  });

  it('that come back to where they were are a loop at once', async () => {
    await using origin = await RawOrigin.start(
      redirecting((path) => (path === '/a' ? '/b' : '/a')),
    );
    expect(await codeAt(origin.url('/a'))).toBe('UPSTREAM_REDIRECT_LOOP');
    expect(origin.requests).toHaveLength(2);
  });

  it.each([
    ['the metadata address', 'http://169.254.169.254/', 'UPSTREAM_TARGET_FORBIDDEN'],
    ['another scheme', 'ftp://example.com/', 'UPSTREAM_TARGET_FORBIDDEN'],
    ['a local file', 'file:///etc/passwd', 'UPSTREAM_TARGET_FORBIDDEN'],
    ['nowhere', 'http://', 'UPSTREAM_PROTOCOL'],
    ['a name that is not there', 'http://provider.invalid/', 'UPSTREAM_DNS'],
  ])('to %s fail as such', async (_where, location, code) => {
    await using origin = await RawOrigin.start(redirecting(() => location));
    expect(await codeAt(origin.url())).toBe(code);
  });

  it('without a location are an answer', async () => {
    await using origin = await RawOrigin.start(({ socket }) => {
      socket.end('HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n');
    });
    expect(await codeAt(origin.url())).toBe('answered 302');
  });

  it('to another origin leave the secrets of the stream behind', async () => {
    await using other = await RawOrigin.start(redirecting(() => undefined));
    await using origin = await RawOrigin.start(
      redirecting((path) => (path === '/here' ? other.url('/there') : '/here')),
    );
    const url = origin.url('/start').replace('//', '//user:secret@');
    const response = await openAt(url, { headers: { Cookie: 'a=b', 'User-Agent': 'VLC' } });
    response.close();
    const [first = '', second = ''] = origin.requests;
    for (const request of [first, second]) {
      expect(request).toContain('Cookie: a=b\r\n');
      expect(request).toContain('Authorization: Basic dXNlcjpzZWNyZXQ=\r\n');
    }
    expect(other.requests[0]).not.toMatch(/cookie|authorization/i);
    expect(other.requests[0]).toContain('User-Agent: VLC\r\n');
  });

  it('have each the whole of the deadlines', async () => {
    const count = { value: 0 };
    await using origin = await RawOrigin.start(({ socket }) => {
      count.value += 1;
      const answer =
        count.value < 4
          ? `HTTP/1.1 302 Found\r\nLocation: /${count.value}\r\n\r\n`
          : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
      setTimeout(() => socket.end(answer), 60);
    });
    const request = { method: 'GET', url: origin.url(), headers: {} } as const;
    const response = await client.open(
      { ...request, timeouts: { connectMs: 150, headersMs: 150 } },
      never,
    );
    expect(response.status).toBe(200);
    response.close();
  });
});
