import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';
import { DependencyError, InvalidInputError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { orAbort } from '#kernel/or-abort';
import { isNamedByProxy } from '#upstream';
import type { Egress } from '#upstream';
import { configText } from './config-text.ts';
import { passedEnvironment } from './passed-environment.ts';
import { proxyWayOf } from './proxy-way.ts';
import type { ProxyWay } from './proxy-way.ts';
import { wayOptions } from './ytdlp-options.ts';
import { refusalOf } from './ytdlp-refusal.ts';

const DEADLINE_MS = 60_000;
const MOST_AT_ONCE = 2;
/** A long list of videos; one video has about 1 MB. */
const MOST_OUTPUT_BYTES = 32 * 1024 * 1024;

/** What is asked comes in through the pipe: other users of the machine could read arguments. */
const ARGS = ['--ignore-config', '--config-locations', '-'];

/** What to find out about a page. */
export type PageQuestion = {
  readonly url: string;
  /** A file that can be read; yt-dlp writes to it too. */
  readonly cookiesPath: string | null;
  /** In yt-dlp's language of formats. */
  readonly format: string | null;
  /** Only name the entries of a list. */
  readonly isFlat: boolean;
};

export type YtdlpOptions = {
  /** By path or by name. */
  readonly program: string;
  /** Refuses a page that may not be reached. */
  readonly guard: (url: string, isProxied: boolean) => Promise<void>;
  readonly egress: Egress | undefined;
  readonly deadlineMs?: number;
};

/** Reads metadata with yt-dlp; its own settings, plugins of a user's home aside, are not read. */
export class YtdlpMetadataReader {
  readonly #options: YtdlpOptions;
  #running = 0;

  constructor(options: YtdlpOptions) {
    this.#options = options;
  }

  /** @throws AppError `PROGRAM_…`, `EGRESS_FAILED`, what the guard throws; the signal's reason. */
  async read(question: PageQuestion, signal: AbortSignal): Promise<object> {
    if (this.#running >= MOST_AT_ONCE) throw busy();
    const { guard, egress = null } = this.#options;
    const way = proxyWayOf(egress);
    if (way === undefined) throw noWay();
    this.#running += 1;
    try {
      await orAbort(guard(question.url, isNamedByProxy(egress)), signal);
      const output = await this.#run(configText(optionsOf(question, way)), signal);
      return answerOf(output, question.isFlat);
    } finally {
      this.#running -= 1;
    }
  }

  #run(config: string, signal: AbortSignal): Promise<string> {
    const { program, deadlineMs: timeout = DEADLINE_MS } = this.#options;
    const options = {
      signal,
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT_BYTES,
      env: passedEnvironment(/^(?:HOME|TMPDIR)$/),
    } as const;
    return new Promise((resolve, reject) => {
      const child = execFile(program, ARGS, options, (error, output, log) => {
        if (error === null) resolve(output);
        else reject(signal.aborted ? (signal.reason as Error) : failureOf(error, log));
      });
      child.stdin?.on('error', () => {}); // It may end before it has read all of it.
      child.stdin?.end(config);
    });
  }
}

const optionsOf = (
  { url, cookiesPath, format, isFlat }: PageQuestion,
  way: ProxyWay,
): readonly string[] => [
  '--dump-json',
  '--no-download',
  '--no-warnings',
  '--no-cache-dir',
  ...(isFlat ? ['--flat-playlist'] : []),
  ...(format === null ? [] : [`--format=${format}`]),
  ...(cookiesPath === null ? [] : [`--cookies=${cookiesPath}`]),
  ...wayOptions(way),
  url,
];

/** One object a line: one video, or the entries of a list. */
function answerOf(output: string, isFlat: boolean): object {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const entries = lines.map(objectOf);
  const [first] = entries;
  if (first === undefined) throw failed('yt-dlp found nothing there.');
  return isFlat || entries.length > 1 ? { entries } : first;
}

function objectOf(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below: a parser's words repeat what it read.
  }
  throw failed('yt-dlp did not answer with JSON.');
}

function failureOf(error: ExecFileException, log: string): AppError {
  if (error.code === 'ENOENT' || error.code === 'EACCES') {
    return new DependencyError('PROGRAM_MISSING', { message: 'yt-dlp is not installed here.' });
  }
  if (error.killed === true) {
    return new UpstreamError('PROGRAM_TIMEOUT', { message: 'yt-dlp did not answer in time.' });
  }
  return failed(refusalOf(log));
}

const noWay = (): AppError =>
  new UpstreamError('EGRESS_FAILED', { message: 'yt-dlp cannot take the way out that is set.' });

const failed = (message: string): AppError => new InvalidInputError('PROGRAM_FAILED', { message });

const busy = (): AppError =>
  new DependencyError('PROGRAM_BUSY', { message: 'Too many others are looked up now.' });
