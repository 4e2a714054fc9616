import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';

const DEADLINE_MS = 15_000;
const MOST_OUTPUT_BYTES = 256 * 1024;

export type FedProgramOptions = {
  /** By path or by name. */
  readonly program: string;
  /** Called once, when it turns out that there is none. */
  readonly absent: () => void;
};

/** What a program wrote; `failed` also when it was ended. */
export type FedOutcome = { readonly output: string; readonly log: string } | 'failed' | 'absent';

/** Runs a program over bytes that go in through a pipe; nothing is written to a disk. */
export class FedProgram {
  readonly #options: FedProgramOptions;
  #isAbsent = false;

  constructor(options: FedProgramOptions) {
    this.#options = options;
  }

  /** Never rejects, and takes at most 15 s. @param signal - Ends it at once. */
  run(args: readonly string[], input: Buffer, signal: AbortSignal): Promise<FedOutcome> {
    if (this.#isAbsent) return Promise.resolve('absent');
    const options = {
      signal,
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT_BYTES,
    } as const;
    return new Promise((resolve) => {
      const done = (error: ExecFileException | null, output: string, log: string): void => {
        if (error?.code === 'ENOENT' || error?.code === 'EACCES') this.#noteAbsence();
        resolve(error === null ? { output, log } : 'failed');
      };
      const child = execFile(this.#options.program, args, options, done);
      // It may close its input before it has read all of it.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }

  #noteAbsence(): void {
    if (this.#isAbsent) return;
    this.#isAbsent = true;
    this.#options.absent();
  }
}
