/**
 * A live proxy as many Node programs have it: it reads the first source that answers, writes what
 * comes to the viewer, and takes the next when the source ends, breaks, or is silent for so long.
 * Told the idle time in milliseconds by its argument, and the sources by `?source=…&source=…`.
 */
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const idleMs = Number(process.argv[2]);

const server = createServer((req, res) => {
  const sources = new URL(req.url ?? '/', 'http://bench').searchParams.getAll('source');
  res.writeHead(200, { 'content-type': 'video/mp2t' });
  readFrom(0, sources, res);
});

function readFrom(index: number, sources: readonly string[], res: ServerResponse): void {
  let isOver = false;
  const next = (): void => {
    if (isOver || res.destroyed) return;
    isOver = true;
    upstream.destroy();
    setImmediate(readFrom, index + 1, sources, res);
  };
  const upstream = get(sources[index % sources.length] ?? '', { agent: false }, (answer) => {
    if (answer.statusCode !== 200) return next();
    answer.on('data', (chunk: Buffer) => res.write(chunk));
    answer.on('error', next);
    answer.on('close', next);
  });
  upstream.setTimeout(idleMs, next);
  upstream.on('error', next);
  res.on('close', () => upstream.destroy());
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
