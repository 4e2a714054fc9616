import { execFile } from 'node:child_process';

/** Those in Python take a second or two on a busy machine. */
const DEADLINE_MS = 8_000;

/**
 * The first line of what a program says of its version, or `null` when it is not there or does not
 * answer. Run once, at start: a program that hangs must not hang a request.
 */
export function versionOf(program: string, option = '--version'): Promise<string | null> {
  const options = { timeout: DEADLINE_MS, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    execFile(program, [option], options, (error, output) => {
      const [firstLine = ''] = output.split('\n', 1);
      resolve(error === null && firstLine !== '' ? firstLine.trim() : null);
    });
  });
}
