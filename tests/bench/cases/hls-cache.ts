import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { askWithWrk } from '../measure.ts';
import type { Requests } from '../measure.ts';
import { firstSegmentOf } from '../playlists.ts';
import { nginxCache, penstock, type Subject } from '../subjects.ts';
import { rounded, whole, type Table } from '../table.ts';

const SECONDS = 4;
const CONNECTIONS = 32;
const LARGE_BYTES = 2_000_000;
const MANY_VIEWERS = fileURLToPath(new URL('../processes/many-viewers.lua', import.meta.url));

/** A live playlist that a hundred viewers poll, and what it lists, once the origin has been asked. */
export async function hlsFromCache(origin: number): Promise<Table> {
  const rows: string[][] = [];
  for (const starter of [penstock, nginxCache]) {
    await using subject = await starter.start(origin);
    const playlist = await subject.urlOf('/rolling/small/index.m3u8');
    const small = await ask(subject, await firstSegmentOf(playlist));
    const large = await ask(
      subject,
      await firstSegmentOf(await subject.urlOf('/rolling/large/index.m3u8')),
    );
    const lists = await ask(subject, playlist);
    rows.push([
      starter.name,
      ...cells(lists),
      ...cells(small),
      whole((large.perSecond * LARGE_BYTES) / 1e6),
      rounded(large.cpuMsPerRequest / 1e3 / (LARGE_BYTES / 1e9)),
    ]);
  }
  return {
    title: 'HLS from cache, 32 connections',
    columns: [
      '',
      'playlists/s',
      'CPU ms',
      'p99 ms',
      'segments of 8 kB/s',
      'CPU ms',
      'p99 ms',
      'segments of 2 MB: MB/s',
      'CPU s/GB',
    ],
    rows,
  };
}

const cells = ({ perSecond, failed, cpuMsPerRequest, p99Ms }: Requests): readonly string[] => [
  `${whole(perSecond)}${failed > 0 ? ` (${failed} failed)` : ''}`,
  rounded(cpuMsPerRequest, 3),
  rounded(p99Ms, 1),
];

/** Measured when it has been asked for a while, and everybody is known. */
async function ask(subject: Subject, url: string): Promise<Requests> {
  const order = { url, connections: CONNECTIONS, script: MANY_VIEWERS };
  await askWithWrk(subject, { ...order, seconds: 1 });
  await delay(200);
  return askWithWrk(subject, { ...order, seconds: SECONDS });
}
