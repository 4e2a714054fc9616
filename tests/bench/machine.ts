import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** With two cores or more, who is measured has one to itself. */
export const CPUS = { load: '0', subject: '1' } as const;
export type Cpu = keyof typeof CPUS;

const canPin = availableParallelism() > 1 && has('taskset');
const TICKS_PER_SECOND = 100;
const LINE_DEADLINE_MS = 60_000;

export type Line = Readonly<Record<string, unknown>>;

/** A process of the benchmark that speaks in lines of JSON. */
export type Helper = AsyncDisposable & {
  readonly pid: number;
  /** The next line. @throws Error when it ends, or says nothing for a minute. */
  next(): Promise<Line>;
};

export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Starts a script of `processes/`, or any program, on one of the CPUs. */
export function startHelper(command: readonly string[], cpu: Cpu): Helper {
  const pinned = canPin ? ['taskset', '-c', CPUS[cpu], ...command] : command;
  const [file = '', ...args] = pinned;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    async next() {
      const late = AbortSignal.timeout(LINE_DEADLINE_MS);
      const line = await Promise.race([lines.next(), once(late, 'abort').then(() => undefined)]);
      if (line === undefined || line.done === true) throw new Error(`${args.join(' ')} is silent.`);
      return JSON.parse(line.value) as Line;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export const script = (name: string, ...args: readonly string[]): readonly string[] => [
  process.execPath,
  fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url)),
  ...args,
];

/** Moves a running process, all its threads, to one of the CPUs. */
export function pin(pid: number, cpu: Cpu): void {
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', CPUS[cpu], String(pid)]);
}

/** User and system time that processes have used so far, in seconds. */
export const cpuSeconds = (...pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields 14 and 15 of proc_pid_stat(5), counted behind the name, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export type Memory = { readonly rssMb: number; readonly pssMb: number };

/** Resident memory, and the share of it that is not also counted at another process. */
export function memoryOf(pids: readonly number[]): Memory {
  const rollups = pids.map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  const sum = (name: string): number =>
    rollups.reduce(
      (total, text) => total + Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0),
      0,
    ) / 1024;
  return { rssMb: sum('Rss'), pssMb: sum('Pss') };
}
