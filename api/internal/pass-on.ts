import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { StreamId } from '#kernel/ids';
import { Agent, request } from '#kernel/node-http';
import { clientIp } from '#api/http/client-ip';
import { ownFolder } from '#api/http/own-folder';
import { peerHeaders } from './peer-door.ts';

export type Passing = {
  readonly id: StreamId;
  readonly req: Request;
  readonly res: Response;
  /** Aborts when the viewer leaves. */
  readonly gone: AbortSignal;
};

/**
 * Has another api process answer a request, and gives its answer on as it comes.
 * @returns `missed` when it could not be asked: nothing has been answered. Never rejects.
 */
export type PassOn = (owner: string, passing: Passing) => Promise<'done' | 'missed'>;

/** It waits for its sources before it answers; longer than any of its own deadlines. */
const HEAD_MS = 90_000;
const MAX_IDLE_SOCKETS = 64;

/** RFC 9110 §7.6.1: what concerns one connection alone. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function createPassOn(secret: Buffer): { readonly passOn: PassOn; close(): void } {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS });
  const passOn: PassOn = async (owner, passing) => {
    const { res, gone } = passing;
    const answer = await ask(owner, { ...passing, agent, secret }).catch(() => undefined);
    if (gone.aborted) answer?.destroy();
    if (!answer) return gone.aborted ? 'done' : 'missed';
    res.writeHead(answer.statusCode ?? 502, withoutConnection(answer.headers));
    // What breaks off there breaks off here: the viewer must not take a part for the whole.
    await pipeline(answer, res).catch(() => res.destroy());
    return 'done';
  };
  return { passOn, close: () => agent.destroy() };
}

type Asking = Passing & { readonly agent: Agent; readonly secret: Buffer };

async function ask(owner: string, asking: Asking): Promise<IncomingMessage> {
  const { id, req, gone, agent, secret } = asking;
  const late = new AbortController();
  const deadline = setTimeout(() => late.abort(), HEAD_MS);
  const viewer = { ipAddress: clientIp(req), here: ownFolder(req, folderOf(req, id)) };
  const passed = request(new URL(req.originalUrl ?? req.url, owner), {
    method: req.method,
    headers: { ...withoutConnection(req.headers), ...peerHeaders(secret, id, viewer) },
    agent,
    signal: gone,
  });
  try {
    passed.end();
    const [answer] = (await once(passed, 'response', { signal: late.signal })) as [IncomingMessage];
    return answer;
  } catch (error) {
    passed.destroy();
    throw error;
  } finally {
    clearTimeout(deadline);
    passed.on('error', () => {}); // Its answer tells of what follows.
  }
}

/** Where the links of what is answered stand. */
const folderOf = (req: Request, id: StreamId): string =>
  `/${req.path.startsWith('/dash/') ? 'dash' : 'hls'}/${id}/`;

const withoutConnection = (headers: IncomingHttpHeaders): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name)));
