import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '#api/app';
import { hlsHandlers, hlsRoutes } from '#api/routes/hls.routes';
import { withShortCut } from '#api/short-cut';
import { NotFoundError } from '#kernel/app-error';
import { appDeps } from '../support/api-under-test.ts';

const ID = '0123456789abcdef0123456789abcdef';

/** Says what it was asked, as the body of a playlist. */
const hls = {
  playlist: async (query: { readonly handle?: string | undefined }) => {
    if (query.handle === 'none') throw new NotFoundError('STREAM_NOT_FOUND', { message: 'none' });
    const text = JSON.stringify(query);
    const described = { contentType: 'application/vnd.apple.mpegurl', clientId: 'me', staleMs: 0 };
    return { text, encoding: 'utf8', bytes: Buffer.byteLength(text), ...described };
  },
  segment: async (query: object) => ({
    status: 200,
    headers: { 'content-type': 'video/mp2t' },
    clientId: 'me',
    send: async (outlet: { end(text: string): void }) => outlet.end(JSON.stringify(query)),
  }),
} as unknown as Parameters<typeof hlsHandlers>[0]['hls'];

const handlers = hlsHandlers({ hls });
const deps = appDeps({ delivery: [hlsRoutes(handlers)] });
const app = createApp(deps);
const { rootPath } = deps.settings;
let through: (path: string) => string;
let around: (path: string) => string;
const servers: ReturnType<typeof createServer>[] = [];

async function serve(listener: RequestListener): Promise<(path: string) => string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (path) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}

beforeAll(async () => {
  through = await serve(app);
  around = await serve(withShortCut({ ...deps, app, handlers, rootPath }));
});

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

const CALLER = {
  'user-agent': 'player',
  'x-forwarded-for': '203.0.113.9, 198.51.100.4',
  'x-username': 'ann',
  'x-request-id': 'known',
};

/** All that a caller can see, but for the time of day and its own connection. */
async function answerOf(url: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(url, { ...init, headers: CALLER });
  const headers = Object.fromEntries(response.headers);
  return {
    status: response.status,
    headers: { ...headers, date: '' },
    body: await response.text(),
  };
}

it.each([
  ['a playlist', `/hls/${ID}/playlist.m3u8`],
  ['a playlist under the root path', `${rootPath}/hls/${ID}/playlist.m3u8?client_id=a%20b&u=x`],
  ['a repeated parameter', `/hls/${ID}/playlist.m3u8?h=1&h=2&_HLS_msn=7`],
  ['a segment', `/hls/${ID}/segment.ts?h=abc&client_id=me`],
  ['a segment without a handle', `/hls/${ID}/segment.ts`],
  ['what is not found', `/hls/${ID}/playlist.m3u8?h=none`],
  ['a client id that is refused', `/hls/${ID}/playlist.m3u8?client_id=%0a`],
  ['another method', `/hls/${ID}/playlist.m3u8`, { method: 'POST' }],
  ['a name that is none', `/hls/${ID}/other.ts`],
  ['an id that is none', '/hls/nonsense/playlist.m3u8'],
  ['another letter case', `/HLS/${ID}/playlist.m3u8`],
  ['two prefixes', `${rootPath}${rootPath}/hls/${ID}/playlist.m3u8`],
])('answers as the app does: %s', async (_, path, init: RequestInit = {}) => {
  expect(await answerOf(around(path), init)).toEqual(await answerOf(through(path), init));
});
