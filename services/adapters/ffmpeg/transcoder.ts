import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Duplex, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ProgressReader, RunLines } from '#transcode';
import type { Progress, RunExit } from '#transcode';
import { driverEnvironment } from './driver-environment.ts';

const WATCH_SCRIPT = fileURLToPath(new URL('run-watch.sh', import.meta.url));
/** FFmpeg writes what it has, and the end of its file; then it is killed. */
const STOP_GRACE_MS = 5_000;

export type FfmpegOptions = {
  /** FFmpeg, by path or by name. */
  readonly program: string;
  readonly args: readonly string[];
  /** Where it works; it has no business with files, so nothing is there. */
  readonly folder: string;
};

/** One FFmpeg under way: media in, media out. */
export type FfmpegProcess = {
  readonly input: Writable;
  readonly output: Readable;
  readonly lines: RunLines;
  readonly progress: () => Progress | null;
  /** Resolves when it has ended, however it did. */
  readonly exited: Promise<RunExit>;
  /** Asks it to end, and makes it. Idempotent; resolves with `exited`. */
  stop(): Promise<RunExit>;
};

/**
 * Starts FFmpeg, without a shell between us and its arguments. It ends with us: a watcher beside it
 * kills it when this process is gone, however that went.
 */
export function startFfmpeg({ program, args, folder }: FfmpegOptions): FfmpegProcess {
  const child = spawn('sh', [WATCH_SCRIPT, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    cwd: folder,
    // Nothing of ours: settings hold secrets. FFmpeg needs the path, drivers theirs.
    env: driverEnvironment(),
  });
  const lines = new RunLines();
  const reader = new ProgressReader();
  let progress: Progress | null = null;
  followLines(child.stderr, (line) => lines.take(line));
  followLines(child.stdio[4], (line) => {
    progress = reader.take(line) ?? progress;
  });
  const lifeline = child.stdio[3] as Duplex;
  lifeline.on('error', () => {});
  child.stdin.on('error', () => {}); // FFmpeg may end before it has read everything.
  // The watcher holds its end until it is told: only then everything of the child is over.
  child.once('exit', () => lifeline.end('over\n'));
  const exited = new Promise<RunExit>((resolve) => {
    child.once('error', () => resolve({ exitCode: null, signal: null }));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const stop = (): Promise<RunExit> => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    return exited.finally(() => clearTimeout(force));
  };
  let stopping: Promise<RunExit> | undefined;
  return {
    input: child.stdin,
    output: child.stdout,
    lines,
    progress: () => progress,
    exited,
    stop: () => (stopping ??= stop()),
  };
}

/** FFmpeg ends some lines with a carriage return only. */
function followLines(stream: unknown, take: (line: string) => void): void {
  if (!(stream instanceof Readable)) return;
  stream.on('error', () => {});
  const reader = createInterface({ input: stream, crlfDelay: Infinity });
  reader.on('line', (line) => {
    for (const part of line.split('\r')) take(part);
  });
}
