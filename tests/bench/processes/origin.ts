/**
 * The provider of the benchmark, as cheap as Node can make it: plain sockets, bodies from memory.
 * Prints its port and serves until it is killed.
 */
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { LoopedTs } from '../../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../../scripts/faultd.d/media.ts';

const TICK_MS = 10;
export const FILM_BYTES = 2 ** 34;

const made = await media();
const heavy = await LoopedTs.open(made.heavy, made.durationMs);
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
  if (path.startsWith('/rolling') && path.includes('.m3u8')) {
    return sendSmall(socket, 'application/vnd.apple.mpegurl', rollingPlaylist());
  }
  if (path.includes('.m3u8')) return sendSmall(socket, 'application/vnd.apple.mpegurl', playlist);
  return sendSmall(socket, 'video/mp2t', segmentAt(path));
}

const LIVE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n';

/** As fast as it is read; two loops take turns in being sent and in being made ready. */
function sendLive(socket: Socket): void {
  socket.write(LIVE_HEAD);
  const send = (buffer: Buffer, loop: number): void => {
    heavy.turn(buffer, loop);
    socket.write(buffer, (error) => {
      if (!error) setImmediate(send, buffer, loop + 2);
    });
  };
  for (const loop of [0, 1]) send(heavy.read(0, heavy.packetsPerLoop), loop);
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
  const due = heavy.positionAt(performance.now());
  const part = heavy.read(pacedPackets, due - pacedPackets);
  pacedPackets = due;
  for (const socket of paced) socket.write(part);
}, TICK_MS);

const PACKET_BYTES = 188;
const sized = (bytes: number): Buffer => heavy.read(0, Math.round(bytes / PACKET_BYTES));
const small = sized(8_000);
const large = sized(2_000_000);

function segmentAt(path: string): Buffer {
  if (path.startsWith('/rolling/small/')) return small;
  return path.startsWith('/rolling/large/') ? large : segment;
}

const ROLLING_SEGMENTS = 6;
const ROLLING_SECONDS = 2;

/** A live playlist by the clock: a segment more, and one less, every two seconds. */
function rollingPlaylist(): Buffer {
  const first = Math.floor(performance.now() / 1000 / ROLLING_SECONDS);
  const segments = Array.from(
    { length: ROLLING_SEGMENTS },
    (_, index) => `#EXTINF:${ROLLING_SECONDS}.000,\nseg${first + index}.ts\n`,
  );
  return Buffer.from(
    `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:${ROLLING_SECONDS}\n` +
      `#EXT-X-MEDIA-SEQUENCE:${first}\n${segments.join('')}`,
  );
}

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
