import { mkdir, mkdtemp, readFile, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { failureIn, mediaOf } from '#resolve';
import type { ResolveFailure, ResolveOrder } from '#resolve';
import type { Egress } from '#upstream';
import { configText } from './config-text.ts';
import { startKept } from './kept-program.ts';
import type { KeptProgram, ProgramExit } from './kept-program.ts';
import { proxyWayOf } from './proxy-way.ts';
import type { ProxyWay } from './proxy-way.ts';
import { streamlinkConfig } from './streamlink-config.ts';
import { ytdlpOptions } from './ytdlp-options.ts';

export type ResolverProgramsOptions = {
  /** By path or by name. */
  readonly programs: Readonly<Record<ResolveOrder['plan']['program'], string>>;
  /** Of this worker alone. */
  readonly folder: string;
  /** Whether a cookies file may be read. */
  readonly mayRead: (cookiesPath: string) => Promise<boolean>;
  readonly verifyTls: boolean;
};

/** What a program gives: bytes until it has ended. */
export type Resolving = {
  readonly output: Readable;
  /** Why it ended; `null` when all there is has been given. */
  readonly ended: Promise<ResolveFailure | null>;
  /** Ends it at once. Idempotent; resolves when nothing of it is left. */
  stop(): Promise<void>;
};

const MOST_COOKIES_BYTES = 1024 * 1024;
const PRIVATE = 0o600;

/** Runs Streamlink and yt-dlp. */
export class ResolverProgramRunner {
  readonly #options: ResolverProgramsOptions;

  constructor(options: ResolverProgramsOptions) {
    this.#options = options;
  }

  /** Makes its folder. Those of workers that were killed are empty by now, and go. */
  async open(): Promise<void> {
    const home = dirname(this.#options.folder);
    const others = await readdir(home).catch(() => []);
    await Promise.allSettled(others.map((name) => rmdir(join(home, name))));
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
  }

  /** Removes its folder. */
  async close(): Promise<void> {
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  /** @throws ResolveError when it cannot be begun. */
  async start(order: ResolveOrder): Promise<Resolving> {
    const way = proxyWayOf(order.egress as Egress | null);
    if (way === undefined) throw new ResolveError('egress');
    const cookies = await this.#cookiesOf(order);
    const folder = await mkdtemp(join(this.#options.folder, 'run-'));
    try {
      const start = { order, cookies, way, folder };
      if (order.plan.program === 'streamlink') return await this.#streamlink(start);
      return await this.#ytdlp(start);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async #streamlink({ order, cookies, way, folder }: Start): Promise<Resolving> {
    const { programs, verifyTls } = this.#options;
    const config = join(folder, 'config');
    const text = streamlinkConfig({ order, cookies, way, verifyTls });
    await writeFile(config, text, { mode: PRIVATE });
    const program = startKept({
      program: programs.streamlink,
      args: ['--config', config],
      folder,
      sign: HAS_END,
    });
    const ended = program.exited.then((exit) => streamlinkEnd(exit, program));
    return { output: program.output, ended, stop: () => stopped(program) };
  }

  async #ytdlp({ order, cookies, way, folder }: Start): Promise<Resolving> {
    const { programs, verifyTls } = this.#options;
    const cookiesPath = cookies === null ? null : join(folder, 'cookies.txt');
    if (cookiesPath !== null) await writeFile(cookiesPath, cookies ?? '', { mode: PRIVATE });
    const program = startKept({
      program: programs.ytdlp,
      args: ['--ignore-config', '--config-locations', '-'],
      folder,
      input: configText(ytdlpOptions({ order, cookiesPath, way, verifyTls })),
    });
    const ended = program.exited.then((exit) => endOf(exit, program.log()));
    return { output: program.output, ended, stop: () => stopped(program) };
  }

  /** The text of the cookies, read anew each time: the operator may have put others there. */
  async #cookiesOf({ plan: { cookies, cookiesPath } }: ResolveOrder): Promise<string | null> {
    if (cookiesPath === null) return cookies;
    if (!(await this.#options.mayRead(cookiesPath))) throw new ResolveError('cookies');
    const { size } = await stat(cookiesPath);
    if (size > MOST_COOKIES_BYTES) throw new ResolveError('cookies');
    return readFile(cookiesPath, 'utf8');
  }
}

type Start = {
  readonly order: ResolveOrder;
  readonly cookies: string | null;
  readonly way: ProxyWay;
  readonly folder: string;
};

/** It cannot be begun, or what it gave is of no use. */
export class ResolveError extends Error {
  readonly failure: ResolveFailure;

  constructor(failure: ResolveFailure) {
    super(`resolver: ${failure}`);
    this.name = 'ResolveError';
    this.failure = failure;
  }
}

async function stopped(program: KeptProgram): Promise<void> {
  await program.stop();
}

/** Its log tells of a playlist where it ends; live media has none such, and its end is a failure. */
const HAS_END = /End Sequence: \d/;

function streamlinkEnd(exit: ProgramExit, program: KeptProgram): ResolveFailure | null {
  const failure = endOf(exit, program.log());
  if (failure !== null) return failure;
  return program.hasShownSign() ? null : 'ended';
}

const NOT_THERE = new Set([126, 127]);

function endOf({ exitCode, signal }: ProgramExit, log: string): ResolveFailure | null {
  if (exitCode === 0) return null;
  if (exitCode !== null && NOT_THERE.has(exitCode)) return 'program_missing';
  if (signal === 'SIGKILL') return 'killed';
  const errors = log.split('\n').filter((line) => /^\s*error:/i.test(line));
  return failureIn(errors.join('\n'));
}

/** What yt-dlp has found, as it is sent. @throws ResolveError when there is nothing of use in it. */
export function foundBy(output: string): string {
  const [line = ''] = output.split('\n', 1);
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch {
    throw new ResolveError('no_media');
  }
  const media = mediaOf(answer);
  if (media === undefined) throw new ResolveError('media');
  return JSON.stringify(media);
}
