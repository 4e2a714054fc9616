import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from '../compile-cache.ts';
import { eventually, type FoundProcess, processesWith } from '../processes.ts';

const FIXTURE = fileURLToPath(new URL('main.ts', import.meta.url));

export type StartOptions = {
  /** Entry to run; the fixture with small children when absent. */
  readonly entry?: string;
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
};

export type Supervisor = {
  readonly pid: number;
  readonly dataDir: string;
  /** What it has printed so far, line by line. */
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** Exit code, once it has ended by itself; `null` after a signal. */
  readonly ended: Promise<number | null>;
  /** Every living process that descends from it, itself included. */
  processes(): readonly FoundProcess[];
  /** The living process whose command contains `text`. */
  pidOf(text: string): number | undefined;
  untilOut(text: string): Promise<void>;
  /** Ends all that is left, and removes its data folder. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Several programs start at once on a busy machine. */
const START_MS = 30_000;

/** Starts a supervisor in a data folder of its own, marked so that no descendant is overlooked. */
export function startSupervisor(options: StartOptions = {}): Supervisor {
  const mark = `PENSTOCK_TEST_${randomUUID()}`;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'penstock-test-'));
  const child = spawn(process.execPath, [options.entry ?? FIXTURE], {
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: dataDir,
      PORT: '0',
      MARK: mark,
      ...COMPILE_CACHE,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = linesOf(child.stdout);
  const err = linesOf(child.stderr);
  const processes = (): readonly FoundProcess[] => processesWith({ mark, folder: dataDir });
  return {
    pid: child.pid ?? 0,
    dataDir,
    out,
    err,
    ended: once(child, 'exit').then(([code]) => code as number | null),
    processes,
    pidOf: (text) => processes().find(({ command }) => command.includes(text))?.pid,
    untilOut: (text) =>
      eventually(
        `"${text}" in ${JSON.stringify([out, err])}`,
        () => out.some((line) => line.includes(text)),
        START_MS,
      ),
    async [Symbol.asyncDispose]() {
      for (const { pid } of processes()) process.kill(pid, 'SIGKILL');
      await eventually('all processes ended', () => processes().length === 0);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function linesOf(input: NodeJS.ReadableStream): readonly string[] {
  const lines: string[] = [];
  createInterface({ input }).on('line', (line) => lines.push(line));
  return lines;
}
