import type { execa } from 'execa';
import type { Writable } from 'node:stream';
import { DependencyError, MediaError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { RemuxInput, RemuxRun, Remuxer } from '#conversion';
import type { Logger } from '#kernel/logger';
import type { BodySink } from '#upstream';
import { remuxArgs } from './remux-args.ts';

/** After this long an FFmpeg that was asked to end is killed. */
const KILL_AFTER_MS = 1_000;
const MOST_LOG_CHARS = 2_000;

export type FfmpegRemuxerOptions = { readonly program: string; readonly logger: Logger };

/** Remuxes with FFmpeg, over pipes alone: no address and no file is known to it. */
export class FfmpegRemuxer implements Remuxer {
  readonly #options: FfmpegRemuxerOptions;

  constructor(options: FfmpegRemuxerOptions) {
    this.#options = options;
  }

  start(inputs: readonly RemuxInput[], sink: BodySink): RemuxRun {
    return new FfmpegRun(inputs, sink, this.#options);
  }
}

type Order = {
  readonly program: string;
  readonly inputs: readonly RemuxInput[];
  readonly signal: AbortSignal;
};

const spawnFfmpeg = (run: typeof execa, { program, inputs, signal }: Order) =>
  run(program, remuxArgs(inputs), {
    stdio: ['pipe', 'pipe', 'pipe', ...inputs.slice(1).map(() => 'pipe' as const)],
    buffer: false,
    reject: false,
    // FFmpeg needs none of our secrets.
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    extendEnv: false,
    cancelSignal: signal,
    killSignal: 'SIGTERM',
    forceKillAfterDelay: KILL_AFTER_MS,
  });

type Child = ReturnType<typeof spawnFfmpeg>;

class FfmpegRun implements RemuxRun {
  readonly #sink: BodySink;
  readonly #closing = new AbortController();
  readonly #logger: Logger;
  readonly #started: Promise<readonly Writable[]>;
  #child: Child | undefined;
  #log = '';

  constructor(
    inputs: readonly RemuxInput[],
    sink: BodySink,
    { program, logger }: FfmpegRemuxerOptions,
  ) {
    this.#sink = sink;
    this.#logger = logger;
    const { signal } = this.#closing;
    this.#started = this.#start({ program, inputs, signal }).catch((error: unknown) => {
      if (!signal.aborted) sink.fail(toAppError(error));
      return [];
    });
  }

  async write(input: number, bytes: Buffer): Promise<void> {
    const pipe = (await this.#started)[input];
    if (!pipe?.writable) return;
    await new Promise<void>((resolve) => pipe.write(bytes, () => resolve()));
  }

  end(input: number): void {
    void this.#started.then((pipes) => pipes[input]?.end());
  }

  resume(): void {
    this.#child?.stdout?.resume();
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    void this.#started.then((pipes) => pipes.map((pipe) => pipe?.destroy()));
    this.#child?.stdout?.destroy();
  }

  /**
   * Gives the pipes of the inputs; none when it was closed before it could begin. Execa is loaded
   * with the first run: most processes never repack anything.
   */
  async #start(order: Order): Promise<readonly Writable[]> {
    const { execa: run } = await import('execa');
    if (order.signal.aborted) return [];
    const child = spawnFfmpeg(run, order);
    this.#child = child;
    // Descriptors 0, 3, 4, …: one for each input.
    const pipes = order.inputs.map((_, at) => child.stdio[at === 0 ? 0 : at + 2] as Writable);
    for (const pipe of pipes) pipe?.on('error', ignore); // It may end before its input.
    child.stdout?.on('data', (bytes: Buffer) => this.#output(bytes));
    child.stderr?.on('data', (text: Buffer) => {
      this.#log = (this.#log + text.toString()).slice(-MOST_LOG_CHARS);
    });
    void this.#watch(child);
    return pipes;
  }

  #output(bytes: Buffer): void {
    if (this.#closing.signal.aborted) return;
    if (!this.#sink.chunk(bytes)) this.#child?.stdout?.pause();
  }

  async #watch(child: Child): Promise<void> {
    const { exitCode, code, failed } = await child;
    if (this.#closing.signal.aborted) return;
    if (!failed) return this.#sink.end();
    const isMissing = exitCode === undefined && (code === 'ENOENT' || code === 'EACCES');
    this.#logger.warn('remux failed', { exitCode: exitCode ?? null, log: this.#log });
    this.#sink.fail(isMissing ? missing() : unpackable());
  }
}

const ignore = (): void => {};

const missing = (): AppError =>
  new DependencyError('CONVERTER_MISSING', {
    message: 'The source has to be repacked with FFmpeg, which cannot be run here.',
  });

const unpackable = (): AppError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The media of the source cannot be repacked as a transport stream.',
  });
