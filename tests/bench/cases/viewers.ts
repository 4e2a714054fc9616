import { measure } from '../measure.ts';
import {
  nginxLarge,
  nodeFanOut,
  nodePipeline,
  penstock,
  type SubjectStarter,
} from '../subjects.ts';
import { memoryOf } from '../machine.ts';
import { rounded, whole, type Table } from '../table.ts';

const SECONDS = 8;
const BIT_RATE_BYTES = 1e6;
/** A player with a second of buffer would have stopped. */
const GAP_MS = 1_000;

type Round = {
  readonly starter: SubjectStarter;
  readonly sharing: 'shared' | 'per-client';
  readonly viewers: number;
};

const ROUNDS: readonly Round[] = [
  { starter: penstock, sharing: 'shared', viewers: 200 },
  { starter: nodeFanOut, sharing: 'shared', viewers: 200 },
  { starter: penstock, sharing: 'shared', viewers: 500 },
  { starter: nodeFanOut, sharing: 'shared', viewers: 500 },
  { starter: penstock, sharing: 'shared', viewers: 1000 },
  { starter: penstock, sharing: 'per-client', viewers: 200 },
  { starter: nodePipeline, sharing: 'per-client', viewers: 200 },
  // It cannot share a live upstream.
  { starter: nginxLarge, sharing: 'per-client', viewers: 200 },
];

/** Many viewers of one channel of 8 Mbit/s, in real time. */
export async function viewers(origin: number): Promise<Table> {
  const rows: string[][] = [];
  for (const { starter, sharing, viewers: connections } of ROUNDS) {
    await using subject = await starter.start(origin);
    const url = await subject.urlOf('/paced.ts', { sharing });
    const seen = await measure(subject, {
      kind: 'hold',
      url,
      connections,
      seconds: SECONDS,
      warmUpMs: 3_000,
    });
    const percent = (seen.cpuSeconds / seen.seconds) * 100;
    rows.push([
      starter.name,
      sharing,
      String(connections),
      `${rounded(percent, 1)} %`,
      `${rounded(percent / connections, 3)} %`,
      `${whole((seen.leastBytes / seen.seconds / BIT_RATE_BYTES) * 100)} %`,
      `${whole(seen.longestGapMs)} ms${seen.longestGapMs > GAP_MS ? ' (gap)' : ''}`,
      String(seen.closed),
      whole(memoryOf(subject.pids).rssMb),
    ]);
  }
  return {
    title: 'Viewers of a live stream of 8 Mbit/s',
    columns: [
      '',
      'upstreams',
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
