import { execFile } from 'node:child_process';

const DEADLINE_MS = 3_000;

/**
 * The first line of `ffmpeg -version`, or `null` when the program is not there or does not answer.
 * Run once, at start: a program that hangs must not hang a request.
 */
export function ffmpegVersion(program: string): Promise<string | null> {
  const options = { timeout: DEADLINE_MS, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    execFile(program, ['-version'], options, (error, output) => {
      const [firstLine = ''] = output.split('\n', 1);
      resolve(error === null && firstLine !== '' ? firstLine.trim() : null);
    });
  });
}
