import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { IncomingHttpHeaders } from 'node:http';
import type { Body } from './body.ts';
import type { FileRoute } from './routes.ts';

const CHUNK_BYTES = 64 * 1024;
const LAST_MODIFIED = 'Thu, 01 Oct 2026 08:00:00 GMT';

const TYPES: Readonly<Record<string, string>> = {
  '.ts': 'video/mp2t',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
  '.mkv': 'video/x-matroska',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.bin': 'application/octet-stream',
};

export const typeOf = (path: string): string => TYPES[extname(path)] ?? 'application/octet-stream';

type Span = { readonly from: number; readonly to: number };

/** Serves a file as a good origin does: RFC 9110 §14 with one range, validators, HEAD. */
export async function serveFile(
  route: FileRoute,
  body: Body,
  request: { readonly method: string; readonly headers: IncomingHttpHeaders },
): Promise<void> {
  const { size } = await stat(route.path);
  const offer = offerOf(route, size);
  const asked = offer.ranges ? rangeOf(request.headers, offer.validators, size) : undefined;
  if (asked === 'unsatisfiable') {
    const headers = { 'content-range': `bytes */${size}`, 'content-length': 0, ...offer.headers };
    await body.head(416, headers);
    return body.end();
  }
  const span = asked ?? { from: 0, to: size };
  await body.head(asked ? 206 : 200, {
    'content-type': route.contentType ?? typeOf(route.path),
    ...offer.headers,
    'content-length': span.to - span.from,
    ...(asked ? { 'content-range': `bytes ${span.from}-${span.to - 1}/${size}` } : {}),
  });
  if (request.method === 'HEAD') return body.end();
  await sendSpan(route, body, span);
}

type Validators = { readonly etag: string; readonly 'last-modified': string };

/** What the answer says of ranges: nothing where they are ignored. */
function offerOf(route: FileRoute, size: number) {
  const validators = {
    etag: route.etag ?? `"${size.toString(16)}"`,
    'last-modified': route.lastModified ?? LAST_MODIFIED,
  };
  const ranges = route.ranges !== false;
  return { ranges, validators, headers: ranges ? { 'accept-ranges': 'bytes', ...validators } : {} };
}

async function sendSpan(route: FileRoute, body: Body, { from, to }: Span): Promise<void> {
  await using handle = await open(route.path);
  const startedAtMs = performance.now();
  for (let at = from; at < to; at += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, to - at);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, at);
    if (!(await body.write(buffer))) return;
    if (route.bytesPerSecond !== undefined) {
      const dueMs = ((at + length - from) / route.bytesPerSecond) * 1000;
      await body.wait(Math.max(0, dueMs - (performance.now() - startedAtMs)));
    }
  }
  await body.end();
}

function rangeOf(
  headers: IncomingHttpHeaders,
  validators: Validators,
  size: number,
): Span | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  const condition = headers['if-range'];
  const holds = condition === undefined || Object.values(validators).includes(String(condition));
  const [, first = '', last = ''] = match ?? [];
  if (!holds || (first === '' && last === '')) return undefined;
  const span = spanOf(first, last, size);
  return span.from < span.to ? span : 'unsatisfiable';
}

function spanOf(first: string, last: string, size: number): Span {
  if (first === '') return { from: Math.max(0, size - Number(last)), to: size };
  return { from: Number(first), to: last === '' ? size : Math.min(size, Number(last) + 1) };
}
