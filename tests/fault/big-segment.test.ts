import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { linksIn } from '../support/hls-bench.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce } from '../support/viewer.ts';
import { DrainingViewer } from '../support/draining-viewer.ts';

/** `SOAK_MINUTES=30` makes it 500 MB, again and again for so long. */
const SOAK_MINUTES = Number(process.env['SOAK_MINUTES'] ?? 0);
const MB = 1_000_000;
const SEGMENT_BYTES = (SOAK_MINUTES > 0 ? 500 : 40) * MB;
const MEMORY_BYTES = 32 * MB;
const VIEWERS = 100;
/** Most read from the middle on: the whole for each would be minutes of copying on two cores. */
const PART_BYTES = SOAK_MINUTES > 0 ? SEGMENT_BYTES : 2 * MB;
/** 20 ms on an idle machine; the seconds after a start, on a busy one, are another matter. */
const MOST_LAG_MS = SOAK_MINUTES > 0 ? 200 : 1_000;
const SLOW_BYTES_PER_S = 2 * MB;

const stage = useProduct({
  env: { SEGMENT_MEMORY_BYTES: String(MEMORY_BYTES), SEGMENT_LOOK_AHEAD: '0' },
});

const statusOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
const filesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

async function lagP99Ms(): Promise<number> {
  const metrics = await (await fetch(`${stage.product.url}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(metrics)?.[1]) * 1000;
}

const piece = Buffer.alloc(MB / 4, 0x47);
function* pieces(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

/** A provider whose segment is made while it is sent. */
async function startOrigin() {
  let open = 0;
  const server = createServer((request, response) => {
    if (request.url?.endsWith('.m3u8')) {
      response.end('#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:60,\nbig.ts\n');
      return;
    }
    open += 1;
    response.once('close', () => (open -= 1));
    const [, first = '0'] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    const length = SEGMENT_BYTES - Number(first);
    const range = `bytes ${first}-${SEGMENT_BYTES - 1}/${SEGMENT_BYTES}`;
    const head = { 'Content-Type': 'video/mp2t', 'Content-Length': length };
    if (request.headers.range === undefined) response.writeHead(200, head);
    else response.writeHead(206, { ...head, 'Content-Range': range });
    Readable.from(pieces(length)).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dispose = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.m3u8`;
  return { url, open: () => open, [Symbol.asyncDispose]: dispose };
}

it(
  'one segment larger than the memory, for a hundred viewers of whom some are slow, stays in bounds',
  { timeout: 60_000 + SOAK_MINUTES * 120_000 },
  async () => {
    await using origin = await startOrigin();
    const id = await stage.product.api.createStream({ url: origin.url });
    const pid = stage.product.pid('api');
    const [rssBefore, filesBefore] = [statusOf(pid), filesOf(pid)];
    let most = 0;
    const sampling = setInterval(() => (most = Math.max(most, statusOf(pid))), 100);
    const untilMs = Date.now() + SOAK_MINUTES * 60_000;
    await lagP99Ms(); // What has been counted so far was the start.
    do {
      await Promise.all(
        Array.from({ length: VIEWERS }, async (_, n) => {
          const url = `${stage.product.url}/hls/${id}/playlist.m3u8?client_id=v${n}`;
          const [link = ''] = linksIn((await fetchOnce(url)).body().toString(), url);
          const slow = n % 25 === 0 ? { bytesPerSecond: SLOW_BYTES_PER_S } : {};
          const viewer = new DrainingViewer(link, { ...slow, mostBytes: PART_BYTES });
          expect(await viewer.read()).toBe(PART_BYTES);
        }),
      );
    } while (Date.now() < untilMs);
    clearInterval(sampling);
    const lagMs = await lagP99Ms();
    expect(most - rssBefore).toBeLessThan(MEMORY_BYTES * 4);
    expect(lagMs).toBeLessThan(MOST_LAG_MS);
    await eventually('the origin is left', () => origin.open() === 0, 5_000);
    await eventually('all files are closed', () => filesOf(pid) <= filesBefore + 8, 20_000);
  },
);
