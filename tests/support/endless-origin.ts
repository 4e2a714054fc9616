import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';

/** A provider with one segment, made while it is sent; in a thread, so that its work is no lag. */
const { segmentBytes } = workerData as { readonly segmentBytes: number };

const piece = Buffer.alloc(250_000, 0x47);
function* pieces(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

const open = new Int32Array(new SharedArrayBuffer(4));

const server = createServer((request, response) => {
  if (request.url?.endsWith('.m3u8')) {
    response.end('#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:60,\nbig.ts\n');
    return;
  }
  Atomics.add(open, 0, 1);
  response.once('close', () => Atomics.sub(open, 0, 1));
  const [, first = '0'] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
  const length = segmentBytes - Number(first);
  const range = `bytes ${first}-${segmentBytes - 1}/${segmentBytes}`;
  const head = { 'Content-Type': 'video/mp2t', 'Content-Length': length };
  if (request.headers.range === undefined) response.writeHead(200, head);
  else response.writeHead(206, { ...head, 'Content-Range': range });
  Readable.from(pieces(length)).pipe(response);
});

server.listen(0, '127.0.0.1', () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread has no origin.
  parentPort?.postMessage({ port: (server.address() as AddressInfo).port, open });
});
