/**
 * The provider of the benchmark, as cheap as Node can make it: plain sockets, bodies from memory.
 * Prints its port and serves until it is killed.
 */
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { media } from '../../support/media.ts';
import { PACKET_BYTES } from '../../support/ts-tools.ts';

const TICK_MS = 10;
const LIVE_BYTES_PER_MS = 1_000;
export const FILM_BYTES = 2 ** 34;

const made = await media();
const heavy = wholePackets(readFileSync(made.heavy));
const film = readFileSync(made.mp4);
const playlist = readFileSync(join(made.hls.ts, 'index.m3u8'));
const segment = readFileSync(join(made.hls.ts, 'seg0.ts'));

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {
    // Clients of a benchmark leave in the middle.
  });
  let pending = '';
  socket.on('data', (data: Buffer) => {
    pending += data.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
      const head = pending.slice(0, end);
      pending = pending.slice(end + 4);
      answer(socket, head);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});

function answer(socket: Socket, head: string): void {
  const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'));
  if (path.startsWith('/paced')) return sendPaced(socket);
  if (path.startsWith('/live')) return sendLive(socket);
  if (path.startsWith('/movie')) return sendFilm(socket, head);
  if (path.includes('.m3u8')) return sendSmall(socket, 'application/vnd.apple.mpegurl', playlist);
  return sendSmall(socket, 'video/mp2t', segment);
}

const LIVE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n';

function sendLive(socket: Socket): void {
  socket.write(LIVE_HEAD);
  sendOn(socket, () => heavy);
}

const paced = new Set<Socket>();
let pacedPackets = 0;

/** 8 Mbit/s by the clock: all who are connected get the same packets at the same moment. */
function sendPaced(socket: Socket): void {
  socket.write(LIVE_HEAD);
  paced.add(socket);
  socket.on('close', () => paced.delete(socket));
}

setInterval(() => {
  const due = Math.floor((performance.now() * LIVE_BYTES_PER_MS) / PACKET_BYTES);
  const perLoop = heavy.length / PACKET_BYTES;
  const from = pacedPackets % perLoop;
  const count = Math.min(due - pacedPackets, perLoop - from);
  const part = heavy.subarray(from * PACKET_BYTES, (from + count) * PACKET_BYTES);
  pacedPackets += count;
  for (const socket of paced) socket.write(part);
}, TICK_MS);

/** A file of 16 GiB whose content repeats. */
function sendFilm(socket: Socket, head: string): void {
  const range = /^range: bytes=(\d+)-(\d*)/im.exec(head);
  const from = Number(range?.[1] ?? 0);
  const to = range?.[2] ? Number(range[2]) + 1 : FILM_BYTES;
  const lines = [
    range ? 'HTTP/1.1 206 Partial Content' : 'HTTP/1.1 200 OK',
    'Content-Type: video/mp4',
    'Accept-Ranges: bytes',
    'ETag: "bench"',
    `Content-Length: ${to - from}`,
    ...(range ? [`Content-Range: bytes ${from}-${to - 1}/${FILM_BYTES}`] : []),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (head.startsWith('HEAD')) return;
  let left = to - from;
  sendOn(socket, () => {
    const part = left < film.length ? film.subarray(0, left) : film;
    left -= part.length;
    return part.length === 0 ? undefined : part;
  });
}

/** Writes as fast as it is read. */
function sendOn(socket: Socket, next: () => Buffer | undefined): void {
  const pour = (): void => {
    for (let part = next(); part && !socket.destroyed; part = next()) {
      if (!socket.write(part)) {
        socket.once('drain', pour);
        return;
      }
    }
  };
  pour();
}

function sendSmall(socket: Socket, type: string, body: Buffer): void {
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
}

function wholePackets(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length - (bytes.length % PACKET_BYTES));
}
