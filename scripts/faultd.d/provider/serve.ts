import { readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AES_KEY } from '../media-recipes.ts';
import type { Body } from './body.ts';
import type { ActiveFault } from './faults.ts';
import type {
  AnswerRoute,
  FolderRoute,
  HlsLiveRoute,
  LiveRoute,
  RedirectRoute,
  Route,
  TextRoute,
} from './routes.ts';
import { serveFile, typeOf } from './serve-file.ts';
import { livePlaylist, liveSegment, serveLive } from './serve-live.ts';

/** One request on its way through its route. */
export type Exchange = {
  readonly route: Route | undefined;
  /** What follows the key of the route, when that ends in `/`. */
  readonly rest: string;
  readonly fault: ActiveFault | undefined;
  /** When the provider's clock began, and when the fault was set; monotonic. */
  readonly startedAtMs: number;
  readonly faultSinceMs: number;
};

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const HTML = { headers: { 'content-type': 'text/html; charset=utf-8' } };
const LIMIT_PAGE =
  '<!doctype html><html><head><title>Sorry</title></head><body><h1>Limit reached</h1></body></html>';

/** Serves the route as the fault lets it. */
export async function serve(exchange: Exchange, body: Body): Promise<void> {
  const { fault } = exchange;
  if (fault?.kind === 'slow-headers') await body.wait(fault.ms);
  if (body.gone.aborted) return;
  if (await serveFault(fault, body)) return;
  await serveRoute(exchange, body);
}

/** True when the fault was the whole answer; the others show on the way. */
async function serveFault(fault: ActiveFault | undefined, body: Body): Promise<boolean> {
  if (fault?.kind === 'status') await sendText(body, `status ${fault.status}`, fault);
  else if (fault?.kind === 'html') await sendText(body, LIMIT_PAGE, HTML);
  else if (fault?.kind === 'redirect-loop') await sendAround(body);
  else if (fault?.kind === 'endless-body') await sendEndless(fault.opening, body);
  else return false;
  return true;
}

async function sendAround(body: Body): Promise<void> {
  const hop = Number(/\bhop=(\d+)/.exec(body.record.url)?.[1] ?? 0) + 1;
  await body.head(302, { location: `${body.record.path}?hop=${hop}` });
  await body.end();
}

async function sendEndless(opening: string, body: Body): Promise<void> {
  await body.head(200, { 'content-type': PLAYLIST_TYPE });
  const filler = Buffer.from('#EXTINF:2.0,\nseg.ts\n'.repeat(3000));
  let goesOn = await body.write(Buffer.from(opening));
  while (goesOn) goesOn = await body.write(filler);
}

async function serveRoute(exchange: Exchange, body: Body): Promise<void> {
  const { route } = exchange;
  switch (route?.kind) {
    case 'live':
      return serveLiveRoute(route, exchange, body);
    case 'file':
      return serveFile(route, body, body.record);
    case 'folder':
      return serveFolder(route, exchange, body);
    case 'hls-live':
      return serveHlsLive(route, exchange, body);
    case 'text':
    case 'redirect':
    case 'answer':
      return serveWords(route, exchange, body);
    case undefined:
      return sendText(body, 'not found', { status: 404 });
  }
}

async function serveLiveRoute(route: LiveRoute, exchange: Exchange, body: Body): Promise<void> {
  if (body.record.method === 'HEAD') return sendText(body, '', {});
  return serveLive(route, body, exchange.startedAtMs);
}

/** Answers that are in memory. */
async function serveWords(
  route: TextRoute | RedirectRoute | AnswerRoute,
  { fault }: Exchange,
  body: Body,
): Promise<void> {
  if (route.kind === 'redirect') {
    await body.head(route.status, { location: route.to });
    return body.end();
  }
  if (route.kind === 'text') {
    return sendText(body, route.body, { ...route, isPacked: fault?.kind === 'gzip' });
  }
  const given = await route.call(body.record);
  return sendText(body, given.body ?? '', given);
}

async function serveFolder(
  route: FolderRoute,
  { rest, fault }: Exchange,
  body: Body,
): Promise<void> {
  const path = resolve(route.path, `./${rest}`);
  // Nothing above the folder, whatever dots the address has.
  if (!path.startsWith(`${resolve(route.path)}${sep}`)) return sendText(body, '', { status: 403 });
  if (fault?.kind === 'gzip') {
    const headers = { 'content-type': typeOf(path) };
    return sendText(body, await readFile(path), { headers, isPacked: true });
  }
  try {
    await serveFile({ kind: 'file', path }, body, body.record);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'EISDIR' && code !== 'ENOTDIR') throw error;
    await sendText(body, 'not found', { status: 404 });
  }
}

async function serveHlsLive(route: HlsLiveRoute, exchange: Exchange, body: Body): Promise<void> {
  const { rest, fault, startedAtMs, faultSinceMs } = exchange;
  const isPacked = fault?.kind === 'gzip';
  const segment = /^seg(\d+)\.ts$/.exec(rest);
  if (rest === 'index.m3u8') {
    const nowMs = fault?.kind === 'frozen' ? faultSinceMs : performance.now();
    const headers = { 'content-type': PLAYLIST_TYPE, 'cache-control': 'no-cache' };
    return sendText(body, livePlaylist(route, nowMs - startedAtMs), { headers, isPacked });
  }
  if (rest === 'key.bin' && route.encrypted) return sendText(body, AES_KEY, {});
  if (!segment) return sendText(body, 'not found', { status: 404 });
  const headers = { 'content-type': 'video/mp2t' };
  const content = liveSegment(route, Number(segment[1]), body.disturbances);
  return sendText(body, content, { headers });
}

type TextOptions = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isPacked?: boolean;
};

async function sendText(
  body: Body,
  content: string | Buffer,
  { status = 200, headers = {}, isPacked = false }: TextOptions,
): Promise<void> {
  const plain = Buffer.from(content);
  const bytes = isPacked ? gzipSync(plain) : plain;
  await body.head(status, {
    'content-type': 'text/plain',
    ...headers,
    ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
    'content-length': bytes.length,
  });
  await body.end(body.record.method === 'HEAD' ? undefined : bytes);
}
