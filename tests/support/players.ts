import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEADLINE_MS = 30_000;
const SAMPLE_RATE = 8_000;
/** Enough to know the tracks; by default ffmpeg reads five seconds of a live stream for that. */
const SHORT_LOOK = ['-analyzeduration', '1000000'];

/** What ffmpeg made of its input: how much it decoded, and what it complained of. */
export type Playback = {
  readonly pictures: number;
  readonly complaints: readonly string[];
  readonly exitCode: number | null;
};

export type PlayOptions = {
  /** Of media, in seconds; to its end when absent. */
  readonly seconds?: number;
  /** Options before the input. */
  readonly input?: readonly string[];
};

/** Plays an address with ffmpeg and decodes every picture and sample. */
export function playWithFfmpeg(url: string, options: PlayOptions = {}): Promise<Playback> {
  const length = options.seconds === undefined ? [] : ['-t', String(options.seconds)];
  return decoded([...SHORT_LOOK, ...(options.input ?? []), '-i', url, ...length]);
}

/** Decodes captured bytes of a transport stream. */
export const decode = (bytes: Buffer): Promise<Playback> =>
  decoded(['-f', 'mpegts', '-i', 'pipe:0'], bytes);

/** Decodes captured bytes of any file that can be read from a pipe. */
export const decodeFile = (bytes: Buffer): Promise<Playback> => decoded(['-i', 'pipe:0'], bytes);

/** The tone of captured media in Hz, over its last `seconds`: tells the sources apart. */
export async function toneAtEnd(bytes: Buffer, seconds = 0.5): Promise<number> {
  const args = `-i pipe:0 -map 0:a -ac 1 -ar ${SAMPLE_RATE} -f s16le pipe:1`.split(' ');
  const { stdout } = await ffmpeg(args, bytes);
  const samples = Math.min(Math.floor(SAMPLE_RATE * seconds), Math.floor(stdout.length / 2));
  const end = stdout.subarray(stdout.length - samples * 2);
  return crossings(end) / (2 * (samples / SAMPLE_RATE));
}

function crossings(sound: Buffer): number {
  let count = 0;
  for (let at = 2; at + 2 <= sound.length; at += 2) {
    if (sound.readInt16LE(at - 2) < 0 !== sound.readInt16LE(at) < 0) count += 1;
  }
  return count;
}

async function decoded(input: readonly string[], bytes?: Buffer): Promise<Playback> {
  const args = [...input, ...'-progress pipe:1 -f null -'.split(' ')];
  const { stdout, stderr, exitCode } = await ffmpeg(args, bytes);
  const pictures = [...String(stdout).matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1] ?? 0;
  const complaints = String(stderr)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return { pictures: Number(pictures), complaints, exitCode };
}

async function ffmpeg(args: readonly string[], input?: Buffer) {
  const quiet = ['-hide_banner', '-loglevel', 'warning', ...(input ? [] : ['-nostdin'])];
  const child = spawn('ffmpeg', [...quiet, ...args], { timeout: DEADLINE_MS });
  child.stdin.on('error', () => {
    // It may have seen enough before the end of its input.
  });
  child.stdin.end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    bytesOf(child.stdout),
    bytesOf(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { stdout, stderr, exitCode };
}

async function bytesOf(input: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(part);
  return Buffer.concat(parts);
}

/** The streams that ffprobe finds, as `video:h264`, sorted. */
export async function probe(url: string): Promise<readonly string[]> {
  const args = '-v error -show_entries stream=codec_type,codec_name -of json'.split(' ');
  const { stdout } = await run('ffprobe', [...SHORT_LOOK, ...args, url], { timeout: DEADLINE_MS });
  const { streams } = JSON.parse(stdout) as {
    readonly streams: readonly { readonly codec_type: string; readonly codec_name: string }[];
  };
  const found = streams.map(({ codec_type, codec_name }) => `${codec_type}:${codec_name}`);
  return [...new Set(found)].toSorted();
}

/** Runs curl and gives what it wrote to standard output. */
export async function curl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
