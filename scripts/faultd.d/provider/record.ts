import type { IncomingMessage } from 'node:http';
import type { Caller } from './accounts.ts';
import type { Recorded } from './ledger.ts';

const MOST_BODY_BYTES = 1024 * 1024;

/** Reads a request whole and begins its record. @throws Error when its body is above 1 MiB. */
export async function recordOf(
  request: IncomingMessage,
  caller: Caller & { readonly socketId: number },
): Promise<Recorded> {
  return {
    ...caller,
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: request.headers,
    body: await readBody(request),
    atMs: performance.now(),
    status: 0,
    sentBytes: 0,
    open: true,
    endedBy: undefined,
    endedAtMs: undefined,
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BODY_BYTES) throw new Error('A request body above 1 MiB.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
