import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const MOST_LISTED = 20;
const MOST_LINE_CHARS = 300;
const END_DEADLINE_MS = 30_000;

/** What ffmpeg made of what it got. */
export type Decoded = {
  readonly pictures: number;
  /** Lines at ffmpeg's level `error`. */
  readonly errors: number;
  /** The first of them, addresses taken out. */
  readonly error_lines: readonly string[];
};

/** ffmpeg is not there, or cannot be started. */
export class NoFfmpegError extends Error {
  constructor(cause: unknown) {
    super('ffmpeg cannot be started; install it, or watch with --no-decode', { cause });
    this.name = 'NoFfmpegError';
  }
}

/** A real ffmpeg that decodes every picture and sample of its input. */
export class Decoder {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  #errors = 0;
  #pictures = 0;
  #hasExited = false;

  /** `input` are ffmpeg's arguments up to and with `-i`; by default it reads what is written. */
  constructor(input: readonly string[] = ['-i', 'pipe:0']) {
    const output = '-progress pipe:1 -stats_period 0.1 -f null -'.split(' ');
    this.#child = spawn('ffmpeg', ['-hide_banner', '-v', 'error', ...input, ...output]);
    this.#exited = once(this.#child, 'close');
    this.#exited.then(
      () => (this.#hasExited = true),
      () => (this.#hasExited = true),
    );
    this.#child.stdin.on('error', () => {
      // It ended before its input did; what it said counts.
    });
    createInterface(this.#child.stderr).on('line', (line) => this.#complain(line));
    createInterface(this.#child.stdout).on('line', (line) => this.#progress(line));
  }

  /** @throws NoFfmpegError when there is none. */
  static async start(input?: readonly string[]): Promise<Decoder> {
    const decoder = new Decoder(input);
    try {
      await once(decoder.#child, 'spawn');
    } catch (error) {
      throw new NoFfmpegError(error);
    }
    return decoder;
  }

  get pictures(): number {
    return this.#pictures;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Bytes that wait for ffmpeg. */
  get waitingBytes(): number {
    return this.#child.stdin.writableLength;
  }

  write(bytes: Buffer): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(bytes);
  }

  /** Lets it finish what it has. Never rejects; an ffmpeg that hangs is killed after 30 s. */
  async end(): Promise<Decoded> {
    this.#child.stdin.end();
    return this.#finished();
  }

  /** Asks it to stop where it is, as a player that is closed. */
  async interrupt(): Promise<Decoded> {
    this.#child.kill('SIGINT');
    return this.#finished();
  }

  async #finished(): Promise<Decoded> {
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), END_DEADLINE_MS);
    await this.#exited.catch(() => {
      // It never started, and `start` has said so.
    });
    clearTimeout(deadline);
    return { pictures: this.#pictures, errors: this.#errors, error_lines: this.#lines };
  }

  #complain(line: string): void {
    if (line.trim() === '') return;
    this.#errors += 1;
    if (this.#lines.length >= MOST_LISTED) return;
    this.#lines.push(line.replaceAll(/\b[a-z]+:\/\/\S+/gi, '<url>').slice(0, MOST_LINE_CHARS));
  }

  #progress(line: string): void {
    const frame = /^frame=\s*(\d+)/.exec(line)?.[1];
    if (frame !== undefined) this.#pictures = Number(frame);
  }
}
