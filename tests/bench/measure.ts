import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LoadOrder, LoadResult } from './load-order.ts';
import { CPUS, cpuSeconds, script, startHelper } from './machine.ts';
import type { Subject } from './subjects.ts';

const run = promisify(execFile);

export type Measured = LoadResult & {
  /** CPU time of the subject within the measured time, in seconds. */
  readonly cpuSeconds: number;
};

/** Lets players loose on a subject and reads its CPU clock when they begin and when they end. */
export async function measure(subject: Subject, order: LoadOrder): Promise<Measured> {
  await using load = startHelper(script('load', JSON.stringify(order)), 'load');
  await load.next();
  const before = cpuSeconds(...subject.pids);
  const { result } = await load.next();
  const after = cpuSeconds(...subject.pids);
  return { ...(result as LoadResult), cpuSeconds: after - before };
}

export type Requests = {
  readonly perSecond: number;
  readonly cpuMsPerRequest: number;
  readonly p99Ms: number;
  readonly failed: number;
};

export type WrkOrder = {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  /** Path of a Lua script. */
  readonly script?: string;
};

/** Asks again and again with wrk. */
export async function askWithWrk(subject: Subject, order: WrkOrder): Promise<Requests> {
  const before = cpuSeconds(...subject.pids);
  const { stdout } = await run('taskset', ['-c', CPUS.load, 'wrk', ...wrkArgs(order)]);
  const cpu = cpuSeconds(...subject.pids) - before;
  const total = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0),
    cpuMsPerRequest: (cpu * 1000) / total,
    p99Ms: millisecondsOf(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1] ?? ''),
    failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
  };
}

const wrkArgs = (order: WrkOrder): readonly string[] => [
  '-t1',
  `-c${order.connections}`,
  `-d${order.seconds}s`,
  '--latency',
  ...(order.script === undefined ? [] : ['-s', order.script]),
  order.url,
];

function millisecondsOf(text: string): number {
  const [, value = '0', unit = ''] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN);
}
