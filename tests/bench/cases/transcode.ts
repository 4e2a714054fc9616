import { spawn } from 'node:child_process';
import { get } from 'node:http';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { PacketAligner, TsAnalyser, readPacket } from '#mpegts';
import { ffmpegArgs, planOf } from '#transcode';
import { startProduct } from '../../support/product.ts';
import type { Product } from '../../support/product.ts';
import { cpuSeconds } from '../machine.ts';
import { rounded, whole } from '../table.ts';
import type { Table } from '../table.ts';

const TEMPLATE =
  '-i {input_url} -c:v libx264 -preset faster -vf scale=1280:720 -b:v 2500k -c:a aac -b:a 128k -f mpegts pipe:1';
const ALONE = 'ffmpeg alone';
const STARTS = 5;
const STEADY_MS = 15_000;
const SETTLE_MS = 3_000;
const DEADLINE_MS = 30_000;

/** Something that transcodes one stream from when it is opened, until it is closed. */
type Run = {
  readonly output: Readable;
  /** The processes that encode, and those beside them. */
  readonly encoders: () => readonly number[];
  readonly others: Readonly<Record<string, number>>;
  close(): Promise<void>;
};
type Open = () => Promise<Run>;

/** One transcode, by Penstock and by FFmpeg alone with the same arguments. */
export async function transcode(origin: number): Promise<Table> {
  const url = `http://127.0.0.1:${origin}/paced.ts`;
  await using product = await startProduct({
    env: { LOG_LEVEL: 'warn', SHARED_STREAM_GRACE: '0' },
  });
  const subjects: readonly (readonly [string, Open])[] = [
    ['Penstock', await throughPenstock(product, url)],
    [ALONE, () => alone(url)],
  ];
  const firsts = new Map<string, number[]>(subjects.map(([name]) => [name, []]));
  for (let round = 0; round < STARTS; round += 1) {
    for (const [name, open] of subjects) firsts.get(name)?.push(await firstPictureMs(open));
  }
  const used = new Map<string, Used>();
  for (const [name, open] of subjects) used.set(name, await steadyCpu(open));
  const encoder = used.get(ALONE)?.encoders ?? Number.NaN;
  const rows = subjects.map(([name]) => {
    const { encoders = Number.NaN, others = {} } = used.get(name) ?? {};
    const beside = (others['api'] ?? 0) + (others['worker'] ?? 0);
    return [
      name,
      whole(median(firsts.get(name) ?? [])),
      ...[encoders, others['api'] ?? 0, others['worker'] ?? 0].map(msPerSecond),
      `${rounded((100 * beside) / encoder, 1)} %`,
    ];
  });
  return {
    title: 'One transcode, 8 Mbit/s to 1280 × 720',
    columns: [
      '',
      'first picture ms',
      'FFmpeg CPU ms/s',
      'api CPU ms/s',
      'worker CPU ms/s',
      'api and worker to ffmpeg alone',
    ],
    rows,
  };
}

const msPerSecond = (cpu: number): string => rounded((cpu * 1000) / (STEADY_MS / 1000), 1);

async function throughPenstock(product: Product, url: string): Promise<Open> {
  const { body } = await product.api.post('/transcode', { url, profile: TEMPLATE });
  const address = `${product.url}/stream/${String(body['stream_id'])}`;
  const encoders = (): readonly number[] =>
    product
      .processes()
      .filter(({ command }) => command.startsWith('ffmpeg '))
      .map(({ pid }) => pid);
  return async () => {
    const request = get(address, { agent: false });
    const output = await new Promise<Readable>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    return {
      output,
      encoders,
      others: { api: product.pid('api'), worker: product.pid('worker') },
      async close() {
        output.destroy();
        const deadlineMs = performance.now() + DEADLINE_MS;
        while (encoders().length > 0 && performance.now() < deadlineMs) await delay(50);
      },
    };
  };
}

async function alone(url: string): Promise<Run> {
  const plan = planOf({ profile: TEMPLATE, variables: {}, format: 'mpegts', isTrusted: false });
  const software = { kind: 'software', device: undefined } as const;
  const args = ffmpegArgs(plan, software, { isPaced: false }).map((arg) =>
    arg === 'pipe:0' ? url : arg,
  );
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'ignore'] });
  if (child.stdout === null) throw new Error('FFmpeg has no output.');
  return {
    output: child.stdout,
    encoders: () => [child.pid ?? 0],
    others: {},
    async close() {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** From asking until the first picture has come whole, and with it the start of the second. */
async function firstPictureMs(open: Open): Promise<number> {
  const startedAt = performance.now();
  const run = await open();
  try {
    const late = AbortSignal.timeout(DEADLINE_MS);
    await secondPicture(run.output, late);
    return performance.now() - startedAt;
  } finally {
    await run.close();
  }
}

async function secondPicture(output: Readable, late: AbortSignal): Promise<void> {
  const aligner = new PacketAligner();
  const analyser = new TsAnalyser();
  let pictures = 0;
  for await (const chunk of output) {
    if (late.aborted) break;
    for (const part of aligner.align(chunk as Buffer)) {
      const packets = Buffer.from(part);
      analyser.push([packets]);
      pictures += picturesIn(packets, analyser.mainPid);
    }
    if (pictures >= 2) return;
  }
  throw new Error('No picture has come.');
}

/** How many begin. */
function picturesIn(packets: Buffer, mainPid: number): number {
  let pictures = 0;
  for (let at = 0; at < packets.length; at += 188) {
    const { pid, startsUnit } = readPacket(packets, at);
    if (startsUnit && pid === mainPid) pictures += 1;
  }
  return pictures;
}

type Used = { readonly encoders: number; readonly others: Readonly<Record<string, number>> };

/** CPU seconds of a stretch of steady transcoding with one viewer. */
async function steadyCpu(open: Open): Promise<Used> {
  const run = await open();
  run.output.resume();
  try {
    await delay(SETTLE_MS);
    const read = () => ({
      encoders: cpuSeconds(...run.encoders()),
      others: Object.fromEntries(
        Object.entries(run.others).map(([name, pid]) => [name, cpuSeconds(pid)]),
      ),
    });
    const before = read();
    await delay(STEADY_MS);
    const after = read();
    return {
      encoders: after.encoders - before.encoders,
      others: Object.fromEntries(
        Object.entries(after.others).map(([name, cpu]) => [name, cpu - (before.others[name] ?? 0)]),
      ),
    };
  } finally {
    await run.close();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
