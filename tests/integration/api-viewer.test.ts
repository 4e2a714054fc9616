import { Router } from 'express';
import { describe, expect, it } from 'vitest';
import { viewerRequestOf } from '#api/http/viewer-request';
import { autoClientId, asStreamId } from '#kernel/ids';
import { startApi } from '../support/api-under-test.ts';
import { rawRequest } from '../support/raw-request.ts';

const PATH = `/who/${'0'.repeat(32)}`;

/** A route that answers with who asks. */
function startMirror(trustedProxies: readonly string[] = ['loopback']) {
  const mirror = Router();
  mirror.get('/who/:stream_id', (req, res) => void res.json({ viewer: viewerRequestOf(req) }));
  return startApi({ delivery: [mirror], settings: { trustedProxies } });
}

type Asked = { readonly query?: string; readonly headers?: Readonly<Record<string, string>> };

async function whoAsks({ query = '', headers = {} }: Asked, trusted?: readonly string[]) {
  await using api = await startMirror(trusted);
  const response = await fetch(`${api.url}${PATH}${query}`, { headers });
  return { status: response.status, ...((await response.json()) as { viewer?: Viewer }) };
}

type Viewer = ReturnType<typeof viewerRequestOf>;

describe('the address of a viewer', () => {
  it.each([
    ['the one that a trusted proxy forwards', '203.0.113.9', '203.0.113.9'],
    [
      'the last of several, since anybody can write the first',
      '1.2.3.4, 203.0.113.9',
      '203.0.113.9',
    ],
    ['without the blanks around it', '  203.0.113.9  ', '203.0.113.9'],
    ['an IPv6 address', '2001:db8::7', '2001:db8::7'],
    ['an IPv4 address without its IPv6 dress', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the one behind our own chain of proxies', '203.0.113.9, 127.0.0.2', '203.0.113.9'],
    ['the peer’s when the header is empty', '', '127.0.0.1'],
    ['the peer’s when what is forwarded is no address', 'localhost', '127.0.0.1'],
  ])('is %s', async (_which, forwarded, expected) => {
    const { viewer } = await whoAsks({ headers: { 'X-Forwarded-For': forwarded } });
    expect(viewer?.ipAddress).toBe(expected);
  });

  it('is the peer’s when nothing is forwarded', async () => {
    expect((await whoAsks({})).viewer?.ipAddress).toBe('127.0.0.1');
  });

  it('is the peer’s, whatever is forwarded, when the peer is not trusted', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.9' };
    expect((await whoAsks({ headers }, [])).viewer?.ipAddress).toBe('127.0.0.1');
  });

  it('is found under any spelling of the header', async () => {
    const headers = { 'x-FORWARDED-for': '203.0.113.9' };
    expect((await whoAsks({ headers })).viewer?.ipAddress).toBe('203.0.113.9');
  });
});

describe('the name of a viewer', () => {
  it.each([
    ['X-Username', '?username=query', { 'X-Username': 'header' }, 'header'],
    ['username', '?username=al%20ice&user=b&u=c', {}, 'al ice'],
    ['user', '?user=bob&u=c', {}, 'bob'],
    ['u', '?u=carol', {}, 'carol'],
    ['the next where one is blank', '?username=+&u=carol', {}, 'carol'],
    ['the last where one is repeated', '?username=a&username=b', {}, 'b'],
    ['none', '', {}, undefined],
  ])('is taken from %s', async (_where, query, headers, expected) => {
    const { viewer } = await whoAsks({ query, headers });
    expect(viewer?.username).toBe(expected);
  });

  it('is cut to 128 characters, and to its printable ones', async () => {
    const { viewer } = await whoAsks({ query: `?username=a%0d%0ab${'x'.repeat(500)}` });
    expect(viewer?.username).toBe(`ab${'x'.repeat(126)}`);
  });
});

describe('the client id of a viewer', () => {
  it.each(['floating-player-1-abc', 'a b&c=d', 'x'.repeat(128)])('is as given: %s', async (id) => {
    const { viewer } = await whoAsks({ query: `?client_id=${encodeURIComponent(id)}` });
    expect(viewer?.clientId).toBe(id);
  });

  it.each(['', '?client_id='])('is left to the stream when there is none: "%s"', async (query) => {
    expect((await whoAsks({ query })).viewer).not.toHaveProperty('clientId');
  });

  it.each([
    ['too long', 'x'.repeat(129)],
    ['over two lines', 'a\r\nSet-Cookie: b'],
    ['not ASCII', 'día'],
  ])('is refused when it is %s', async (_what, id) => {
    const { status } = await whoAsks({ query: `?client_id=${encodeURIComponent(id)}` });
    expect(status).toBe(422);
  });

  it('can be computed by others from what we make of the request', async () => {
    const { viewer } = await whoAsks({
      query: '?username=alice',
      headers: { 'User-Agent': 'VLC/3.0', 'X-Forwarded-For': '203.0.113.9' },
    });
    const id = autoClientId({
      streamId: asStreamId('5c14b359b238c9343fa7c51063b827de'),
      ip: viewer?.ipAddress ?? '',
      userAgent: viewer?.userAgent ?? '',
      username: viewer?.username,
    });
    expect(id).toBe('client_0b5f87ff454e2af1');
  });
});

describe('the user agent of a viewer', () => {
  it('is the header’s, to 512 characters', async () => {
    const headers = { 'User-Agent': `VLC/${'9'.repeat(1000)}` };
    expect((await whoAsks({ headers })).viewer?.userAgent).toHaveLength(512);
  });

  it('is unknown without one', async () => {
    await using api = await startMirror();
    const lines = [`GET ${PATH} HTTP/1.1`, 'Host: x', 'Connection: close'];
    expect(await rawRequest(api.port, lines)).toContain('"userAgent":"unknown"');
  });
});
