import { memoryOf } from '../machine.ts';
import { measure } from '../measure.ts';
import { nginx, nginxLarge, nodePipeline, penstock } from '../subjects.ts';
import { rounded, whole, type Table } from '../table.ts';

const SECONDS = 3;
const BYTES_PER_GB = 1e9;

/** Bytes from one upstream to one viewer each, as fast as both can. */
async function passThrough(origin: number, path: string, title: string): Promise<Table> {
  const rows: string[][] = [];
  for (const starter of [penstock, nodePipeline, nginx, nginxLarge]) {
    await using subject = await starter.start(origin);
    const url = await subject.urlOf(path);
    const cells: string[] = [];
    for (const connections of [1, 8]) {
      const order = { kind: 'hold', url, connections, seconds: SECONDS, warmUpMs: 2_000 } as const;
      const { bytes, seconds, cpuSeconds } = await measure(subject, order);
      cells.push(whole(bytes / seconds / 1e6), rounded(cpuSeconds / (bytes / BYTES_PER_GB)));
    }
    rows.push([starter.name, ...cells, whole(memoryOf(subject.pids).rssMb)]);
  }
  return {
    title,
    columns: ['', '1 viewer: MB/s', 'CPU s/GB', '8 viewers: MB/s', 'CPU s/GB', 'RSS MB'],
    rows,
  };
}

export const live = (origin: number): Promise<Table> =>
  passThrough(origin, '/live.ts', 'Live TS, one upstream per viewer');

export const files = (origin: number): Promise<Table> =>
  passThrough(origin, '/movie/film.mp4', 'Files (VOD)');
