import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Response } from 'express';
import type { ViewingEnd } from '#delivery';
import type { ViewerSink } from '#relay';

/**
 * A response without end. After its head, bytes go straight to the socket: a body that the closing
 * of the connection delimits (RFC 9112 §6.3) costs half of what a chunked one does per viewer.
 */
export type LiveResponse = {
  readonly sink: ViewerSink;
  /** Ends it so that the player can tell: cleanly, or as a broken transfer. Idempotent. */
  finish(end: ViewingEnd): void;
};

export type LiveHead = {
  readonly headers: Readonly<Record<string, string>>;
  /** A film: it is framed, so that players can tell its end from a broken transfer. */
  readonly hasEnd: boolean;
};

/** Sends the head. Waits for the socket, which an earlier request of a pipeline may still hold. */
export async function beginLive(
  res: Response,
  { headers, hasEnd }: LiveHead,
  gone: AbortSignal,
): Promise<LiveResponse> {
  if (!res.socket) await once(res, 'socket', { signal: gone });
  gone.throwIfAborted();
  res.shouldKeepAlive = false;
  res.useChunkedEncodingByDefault = hasEnd;
  res.writeHead(200, { ...headers, Connection: 'close' });
  res.flushHeaders();
  const { socket } = res;
  gone.throwIfAborted();
  if (!socket) throw new DOMException('The viewer left.', 'AbortError');
  const sink = hasEnd ? framedSinkOf(res) : sinkOf(socket);
  return { sink, finish: (end) => finish(res, socket, end) };
}

const sinkOf = (socket: Socket): ViewerSink => ({
  get pendingBytes() {
    return socket.writableLength;
  },
  write(parts, flushed) {
    const [first] = parts;
    if (parts.length === 1 && first) socket.write(first, flushed);
    else writeTogether(socket, parts, flushed);
  },
});

/** One system call, however many parts. */
function writeTogether(socket: Socket, parts: readonly Buffer[], flushed?: () => void): void {
  const last = parts.length - 1;
  socket.cork();
  for (const [index, part] of parts.entries()) {
    if (index === last) socket.write(part, flushed);
    else socket.write(part);
  }
  socket.uncork();
}

const framedSinkOf = (res: Response): ViewerSink => ({
  get pendingBytes() {
    return res.writableLength;
  },
  write(parts, flushed) {
    const last = parts.length - 1;
    for (const [index, part] of parts.entries()) res.write(part, index === last ? flushed : ignore);
  },
});

const ignore = (): void => {};

/** A player that reads no more must not hold a connection that has been ended. */
const LAST_BYTES_MS = 1_000;
/** The end of a film is still to be watched. */
const LAST_SCENE_MS = 60_000;

function finish(res: Response, socket: Socket, end: ViewingEnd): void {
  // A close is how a body without a length ends; a reset is how one breaks off.
  if (end !== 'clean' && end !== 'played') return void socket.resetAndDestroy();
  res.end();
  const patienceMs = end === 'played' ? LAST_SCENE_MS : LAST_BYTES_MS;
  const cut = setTimeout(() => socket.destroy(), patienceMs);
  socket.once('close', () => clearTimeout(cut));
}
