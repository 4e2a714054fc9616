import { measure } from '../measure.ts';
import { nginxLarge, nodeFanOut, penstock, type SubjectStarter } from '../subjects.ts';
import { memoryOf } from '../machine.ts';
import { rounded, whole, type Table } from '../table.ts';

const SECONDS = 6;
const BIT_RATE_BYTES = 1e6;
/** A player with a second of buffer would have stopped. */
const GAP_MS = 1_000;

const ROUNDS: readonly { readonly starter: SubjectStarter; readonly viewers: number }[] = [
  { starter: penstock, viewers: 200 },
  { starter: nodeFanOut, viewers: 200 },
  { starter: nginxLarge, viewers: 200 },
  { starter: penstock, viewers: 500 },
  { starter: nodeFanOut, viewers: 500 },
];

/** One upstream of 8 Mbit/s, many viewers; nginx cannot share one and has as many upstreams. */
export async function fanOut(origin: number): Promise<Table> {
  const rows: string[][] = [];
  for (const { starter, viewers } of ROUNDS) {
    await using subject = await starter.start(origin);
    const url = await subject.urlOf('/paced.ts', { sharing: 'shared' });
    const order = { kind: 'hold', url, connections: viewers, seconds: SECONDS, warmUpMs: 2_000 };
    const seen = await measure(subject, { ...order, kind: 'hold' });
    const percent = (seen.cpuSeconds / seen.seconds) * 100;
    rows.push([
      starter.name,
      String(viewers),
      `${rounded(percent, 1)} %`,
      `${rounded(percent / viewers, 3)} %`,
      `${whole((seen.leastBytes / seen.seconds / BIT_RATE_BYTES) * 100)} %`,
      `${whole(seen.longestGapMs)} ms${seen.longestGapMs > GAP_MS ? ' (gap)' : ''}`,
      String(seen.closed),
      whole(memoryOf(subject.pids).rssMb),
    ]);
  }
  return {
    title: 'Shared live stream, 8 Mbit/s per viewer',
    columns: [
      '',
      'viewers',
      'CPU of a core',
      'per viewer',
      'slowest viewer got',
      'longest pause',
      'cut off',
      'RSS MB',
    ],
    rows,
  };
}
