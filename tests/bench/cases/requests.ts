import { fileURLToPath } from 'node:url';
import { askWithWrk } from '../measure.ts';
import { memoryOf } from '../machine.ts';
import { firstSegmentOf } from '../playlists.ts';
import { nginx, nginxLarge, nodePipeline, Penstock, penstock, type Subject } from '../subjects.ts';
import { rounded, whole, type Table } from '../table.ts';

const SECONDS = 3;
const CONNECTIONS = 32;
const REGISTERED = 10_000;
const POST_SCRIPT = fileURLToPath(new URL('../processes/post-streams.lua', import.meta.url));

/** Playlists and segments, 32 players that ask again at once. */
export async function hls(origin: number): Promise<Table> {
  const rows: string[][] = [];
  for (const starter of [penstock, nodePipeline, nginx, nginxLarge]) {
    await using subject = await starter.start(origin);
    const playlist = await subject.urlOf('/hls/index.m3u8');
    const segment = await firstSegmentOf(playlist);
    const cells: string[] = [];
    for (const url of [playlist, segment]) {
      const seen = await askWithWrk(subject, { url, seconds: SECONDS, connections: CONNECTIONS });
      cells.push(
        `${whole(seen.perSecond)}${seen.failed > 0 ? ` (${seen.failed} failed)` : ''}`,
        rounded(seen.cpuMsPerRequest, 3),
        rounded(seen.p99Ms, 1),
      );
    }
    rows.push([starter.name, ...cells]);
  }
  return {
    title: 'HLS through to the origin, 32 connections',
    columns: ['', 'playlists/s', 'CPU ms', 'p99 ms', 'segments of 332 kB/s', 'CPU ms', 'p99 ms'],
    rows,
  };
}

/** `POST /streams`, each with a URL of its own, after ten thousand have been registered. */
export async function registrations(origin: number): Promise<Table> {
  await using subject = await Penstock.start(origin);
  await register(subject, REGISTERED);
  const base = `${subject.product.url}/streams`;
  const order = { url: base, seconds: SECONDS, connections: CONNECTIONS, script: POST_SCRIPT };
  const seen = await askWithWrk(subject, order);
  const { body } = await subject.product.api.get('/stats');
  const memory = memoryOf(subject.product.pids());
  return {
    title: 'POST /streams with 10,000 registered',
    columns: ['', 'per second', 'CPU ms', 'p99 ms', 'failed', 'streams after', 'PSS MB after'],
    rows: [
      [
        subject.name,
        whole(seen.perSecond),
        rounded(seen.cpuMsPerRequest, 3),
        rounded(seen.p99Ms, 1),
        String(seen.failed),
        whole(streamsIn(body)),
        whole(memory.pssMb),
      ],
    ],
  };
}

const streamsIn = (stats: Readonly<Record<string, unknown>>): number =>
  Number(/"total_streams":(\d+)/.exec(JSON.stringify(stats))?.[1] ?? Number.NaN);

async function register(subject: Subject & Penstock, count: number): Promise<void> {
  const { api } = subject.product;
  const one = async (from: number): Promise<void> => {
    for (let index = from; index < count; index += CONNECTIONS) {
      await api.createStream({ url: `http://127.0.0.1:9/registered/${index}.ts` });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, from) => one(from)));
}
