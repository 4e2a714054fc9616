import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex, Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MediaLines, ProgressReader, RunLines } from '#transcode';
import type { Progress, RunEnds, RunExit, Usage } from '#transcode';
import { driverEnvironment } from './driver-environment.ts';
import { processUsage } from './process-usage.ts';

const WATCH_SCRIPT = fileURLToPath(new URL('run-watch.sh', import.meta.url));
const USUAL_PIPES = 5;
type Pipes = readonly [Writable, Readable, Readable, Duplex, Readable];
/** FFmpeg writes what it has, and the end of its file; then it is killed. */
const STOP_GRACE_MS = 5_000;

export type FfmpegOptions = {
  /** FFmpeg, by path or by name. */
  readonly program: string;
  readonly args: readonly string[];
  /** Where it works; it has no business with files, so nothing is there. */
  readonly folder: string;
  /** Pipes beyond 4, as many as are wanted: the first is its descriptor 5. */
  readonly morePipes?: number;
};

/** One FFmpeg under way: media in, media out. */
export type FfmpegProcess = {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Those beyond 4, in order. */
  readonly morePipes: readonly Duplex[];
  readonly input: Writable;
  readonly output: Readable;
  readonly lines: RunLines;
  readonly progress: () => Progress | null;
  /** What it uses now; undefined when it is gone, or where that cannot be told. */
  readonly usage: () => Promise<Usage | undefined>;
  readonly media: () => RunEnds;
  /** Resolves when it has ended, however it did. */
  readonly exited: Promise<RunExit>;
  /** Asks it to end, and makes it. Idempotent; resolves with `exited`. */
  stop(): Promise<RunExit>;
};

/**
 * Starts FFmpeg, without a shell between us and its arguments. It ends with us: a watcher beside it
 * kills it when this process is gone, however that went.
 */
export function startFfmpeg({
  program,
  args,
  folder,
  morePipes = 0,
}: FfmpegOptions): FfmpegProcess {
  const child = spawn('sh', [WATCH_SCRIPT, program, ...args], {
    stdio: Array.from({ length: USUAL_PIPES + morePipes }, () => 'pipe' as const),
    cwd: folder,
    // Nothing of ours: settings hold secrets. FFmpeg needs the path, drivers theirs.
    env: driverEnvironment(),
  });
  const pipes: readonly unknown[] = child.stdio;
  const [input, output, errors, lifeline, numbers] = pipes as Pipes;
  const more = pipes.slice(USUAL_PIPES) as Duplex[];
  const said = listen(errors, numbers);
  // FFmpeg may end before it has read everything.
  for (const pipe of [lifeline, input, ...more]) pipe.on('error', () => {});
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
    pid: child.pid,
    morePipes: more,
    input,
    output,
    ...said,
    // The shell that was started has become FFmpeg.
    usage: async () => (child.pid === undefined ? undefined : processUsage(child.pid)),
    exited,
    stop: () => (stopping ??= stop()),
  };
}

/** What it says of itself. */
function listen(errors: Readable, numbers: Readable) {
  const lines = new RunLines();
  const media = new MediaLines();
  const reader = new ProgressReader();
  let progress: Progress | null = null;
  followLines(errors, (line) => {
    lines.take(line);
    media.take(line);
  });
  followLines(numbers, (line) => {
    progress = reader.take(line) ?? progress;
  });
  return { lines, progress: () => progress, media: () => media.ends };
}

/** FFmpeg ends some lines with a carriage return only. */
function followLines(stream: Readable, take: (line: string) => void): void {
  stream.on('error', () => {});
  const reader = createInterface({ input: stream, crlfDelay: Infinity });
  reader.on('line', (line) => {
    for (const part of line.split('\r')) take(part);
  });
}
