import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { DrainingViewer } from '../support/draining-viewer.ts';
import { linksIn } from '../support/hls-bench.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce } from '../support/viewer.ts';

/** `SOAK_MINUTES=30` makes it 500 MB, again and again for so long. */
const SOAK_MINUTES = Number(process.env['SOAK_MINUTES'] ?? 0);
const IS_SOAK = SOAK_MINUTES > 0;
const MB = 1_000_000;
const SEGMENT_BYTES = (IS_SOAK ? 500 : 40) * MB;
const MEMORY_BYTES = 32 * MB;
const VIEWERS = 100;
/** Beside what is kept, 1 MB a viewer: what passes by, sockets, what is not collected yet; 2.5 MB where all read on and on. */
const MOST_BYTES = MEMORY_BYTES + VIEWERS * (IS_SOAK ? 2.5 : 1) * MB;
/** 20 ms on an idle machine; the seconds after a start, on a busy one, are another matter. */
const MOST_LAG_MS = IS_SOAK ? 200 : 1_000;
/** Most read for four minutes, or for a moment as fast as it comes; one in 25 is slow. */
const FAST = IS_SOAK ? { mostBytes: SEGMENT_BYTES, bytesPerSecond: 2 * MB } : { mostBytes: 2 * MB };
const SLOW = IS_SOAK
  ? { mostBytes: SEGMENT_BYTES / 10, bytesPerSecond: MB / 5 }
  : { mostBytes: 2 * MB, bytesPerSecond: 2 * MB };

const stage = useProduct({
  env: { SEGMENT_MEMORY_BYTES: String(MEMORY_BYTES), SEGMENT_LOOK_AHEAD: '0' },
});

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
const filesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

async function lagP99Ms(): Promise<number> {
  const metrics = await (await fetch(`${stage.product.url}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(metrics)?.[1]) * 1000;
}

/** A provider whose segment is made while it is sent. */
async function startOrigin() {
  const thread = new Worker(new URL('../support/endless-origin.ts', import.meta.url), {
    workerData: { segmentBytes: SEGMENT_BYTES },
  });
  const [{ port, open }] = (await once(thread, 'message')) as [{ port: number; open: Int32Array }];
  return {
    url: `http://127.0.0.1:${port}/index.m3u8`,
    open: () => Atomics.load(open, 0),
    [Symbol.asyncDispose]: async (): Promise<void> => void (await thread.terminate()),
  };
}

/** How much memory a process takes at most, looked at ten times a second. */
function watchMemory(pid: number) {
  let most = 0;
  const sampling = setInterval(() => (most = Math.max(most, rssOf(pid))), 100);
  return { most: () => most, [Symbol.dispose]: () => clearInterval(sampling) };
}

/** The figures of the long form. */
function tell(figures: object): void {
  if (IS_SOAK) process.stdout.write(`${JSON.stringify(figures)}\n`);
}

async function everybodyReads(id: string): Promise<void> {
  await Promise.all(
    Array.from({ length: VIEWERS }, async (_, n) => {
      const url = `${stage.product.url}/hls/${id}/playlist.m3u8?client_id=v${n}`;
      const [link = ''] = linksIn((await fetchOnce(url)).body().toString(), url);
      const viewer = n % 25 === 0 ? SLOW : FAST;
      expect(await new DrainingViewer(link, viewer).read()).toBe(viewer.mostBytes);
    }),
  );
}

it(
  'one segment larger than the memory, for a hundred viewers of whom some are slow, stays in bounds',
  { timeout: 60_000 + SOAK_MINUTES * 60_000 + (IS_SOAK ? 600_000 : 0) },
  async () => {
    await using origin = await startOrigin();
    const id = await stage.product.api.createStream({ url: origin.url });
    const pid = stage.product.pid('api');
    const [rssBefore, filesBefore] = [rssOf(pid), filesOf(pid)];
    using memory = watchMemory(pid);
    const untilMs = Date.now() + SOAK_MINUTES * 60_000;
    await lagP99Ms(); // What has been counted so far was the start.
    const rounds: number[] = [];
    do {
      await everybodyReads(id);
      rounds.push(await lagP99Ms());
      tell({ most: memory.most(), rounds, files: filesOf(pid) });
    } while (Date.now() < untilMs);
    const grownBytes = memory.most() - rssBefore;
    await eventually('the origin is left', () => origin.open() === 0, 5_000);
    await eventually('all files are closed', () => filesOf(pid) <= filesBefore + 8, 20_000);
    tell({ rssBefore, grownBytes, filesBefore, files: filesOf(pid) });
    expect(grownBytes).toBeLessThan(MOST_BYTES);
    expect(Math.max(...rounds)).toBeLessThan(MOST_LAG_MS);
  },
);
