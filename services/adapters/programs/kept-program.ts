import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { passedEnvironment } from './passed-environment.ts';

const WATCH_SCRIPT = fileURLToPath(new URL('program-watch.sh', import.meta.url));
/** A program that was asked to end is killed after this long. */
const STOP_GRACE_MS = 2_000;
const MOST_LOG_CHARS = 16_384;

export type KeptProgramOptions = {
  /** By path or by name. */
  readonly program: string;
  readonly args: readonly string[];
  /** Its own, with all that it is given; removed when it is over. */
  readonly folder: string;
  /** What it reads. */
  readonly input?: string;
  /** What to look out for in what it writes to standard error. */
  readonly sign?: RegExp;
};

/** How it ended: 126 and 127 say that there is no such program. */
export type ProgramExit = { readonly exitCode: number | null; readonly signal: string | null };

/** A program that works for us, with all that it starts. */
export type KeptProgram = {
  readonly output: Readable;
  /** The last of what it wrote to standard error: full of secrets. */
  readonly log: () => string;
  readonly hasShownSign: () => boolean;
  /** Resolves when it and its folder are gone. */
  readonly exited: Promise<ProgramExit>;
  /** Asks it to end, and makes it. Idempotent; resolves with `exited`. */
  stop(): Promise<ProgramExit>;
};

/**
 * Starts a program of others as the leader of a group. It, whatever it starts, and its folder end
 * with us: a watcher beside it sees to that, however we go.
 */
export function startKept({ program, args, folder, input, sign }: KeptProgramOptions): KeptProgram {
  const child = spawn('sh', [WATCH_SCRIPT, folder, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    cwd: folder,
    detached: true,
    env: environmentIn(folder),
  });
  let log = '';
  let hasShownSign = false;
  child.stderr.on('data', (text: Buffer) => {
    log += text.toString();
    hasShownSign ||= sign?.test(log) ?? false;
    log = log.slice(-MOST_LOG_CHARS);
  });
  const lifeline = child.stdio[3] as Duplex;
  for (const end of [child.stdin, child.stderr, lifeline]) end.on('error', () => {});
  child.stdin.end(input ?? '');
  const exited = exitOf(child, folder);
  let stopping: Promise<ProgramExit> | undefined;
  const stop = (): Promise<ProgramExit> => {
    killGroup(child, 'SIGTERM');
    const force = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_GRACE_MS);
    return exited.finally(() => clearTimeout(force));
  };
  return {
    output: child.stdout,
    log: () => log,
    hasShownSign: () => hasShownSign,
    exited,
    stop: () => (stopping ??= stop()),
  };
}

async function exitOf(child: ChildProcess, folder: string): Promise<ProgramExit> {
  const exit = await new Promise<ProgramExit>((resolve) => {
    child.once('error', () => resolve({ exitCode: 127, signal: null }));
    child.once('exit', () => killGroup(child, 'SIGKILL')); // What it started, and the watcher.
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  await rm(folder, { recursive: true, force: true });
  return exit;
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // Nobody of it is left.
  }
}

/** Nothing of ours, and no settings of a user: its home is the folder. */
const environmentIn = (folder: string): Record<string, string> => ({
  ...passedEnvironment(),
  HOME: folder,
  TMPDIR: folder,
});
