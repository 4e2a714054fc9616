import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { passedOnBy } from '#api/http/peer-request';
import { createPassOn } from '#api/internal/pass-on';
import { PeerDoor } from '#api/internal/peer-door';
import { asStreamId } from '#kernel/ids';
import { abortedBy } from '../../api/http/client-abort.ts';

const ID = asStreamId('b'.repeat(32));
const SECRET = Buffer.from('the secret of the installation');
const PATH = `/hls/${ID}/segment.ts?h=x`;

async function listening(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispose = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { url, [Symbol.asyncDispose]: dispose };
}

/** One process that serves, behind a door, and one that passes on. */
async function start(serve: RequestListener) {
  const door = new PeerDoor();
  door.listener = serve;
  const owner = await listening((req, res) => {
    if (!door.answer(SECRET, req, res)) res.writeHead(404).end();
  });
  const passing = createPassOn(SECRET);
  const outcomes: string[] = [];
  const app = express().use(async (req, res) => {
    const gone = abortedBy(req, res);
    outcomes.push(await passing.passOn(owner.url, { id: ID, req, res, gone }));
  });
  const front = await listening(app);
  return {
    owner,
    front,
    outcomes,
    async [Symbol.asyncDispose]() {
      passing.close();
      await front[Symbol.asyncDispose]();
      await owner[Symbol.asyncDispose]();
    },
  };
}

describe('what one api process passes on to another', () => {
  it('is asked as the viewer asked, and says who that is', async () => {
    const seen: IncomingMessage[] = [];
    await using peers = await start((req, res) => {
      seen.push(req);
      res.writeHead(206, { 'Content-Range': 'bytes 0-1/9', 'X-Client-ID': 'me' }).end('ab');
    });
    const answered = await fetch(peers.front.url + PATH, {
      headers: { Range: 'bytes=0-1', 'User-Agent': 'VLC/3' },
    });
    expect([answered.status, await answered.text()]).toEqual([206, 'ab']);
    expect(answered.headers.get('content-range')).toBe('bytes 0-1/9');
    const [request] = seen;
    expect(request?.url).toBe(PATH);
    expect(request?.headers).toMatchObject({ range: 'bytes=0-1', 'user-agent': 'VLC/3' });
    expect(Object.keys(request?.headers ?? {}).some((name) => name.includes('penstock'))).toBe(
      false,
    );
    expect(request && passedOnBy(request)).toEqual({
      ipAddress: '127.0.0.1',
      here: `${peers.front.url}/hls/${ID}/`,
    });
  });

  it('breaks off where it breaks off there, and ends there when the viewer leaves', async () => {
    let ended = 0;
    await using peers = await start((req, res) => {
      res.once('close', () => (ended += 1));
      res.writeHead(200, { 'Content-Length': '1000' });
      res.write('part');
      if (req.headers['x-break']) setTimeout(() => res.destroy(), 50);
    });
    const broken = await fetch(peers.front.url + PATH, { headers: { 'X-Break': '1' } });
    await expect(broken.text()).rejects.toThrow('terminated');
    const leaving = new AbortController();
    await fetch(peers.front.url + PATH, { signal: leaving.signal });
    leaving.abort();
    await expect.poll(() => ended).toBe(2);
  });

  it('is said to be missed when nobody is there', async () => {
    await using peers = await start((_req, res) => void res.end());
    await peers.owner[Symbol.asyncDispose]();
    void fetch(peers.front.url + PATH).catch(() => {});
    await expect.poll(() => peers.outcomes).toEqual(['missed']);
  });

  it('is taken from no stranger', async () => {
    await using peers = await start((_req, res) => void res.end('served'));
    for (const token of [undefined, '', 'x'.repeat(64)]) {
      const headers: Record<string, string> =
        token === undefined ? {} : { 'x-penstock-peer': token };
      expect((await fetch(peers.owner.url + PATH, { headers })).status).toBe(404);
    }
  });
});
