import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from './compile-cache.ts';

const MAIN = fileURLToPath(new URL('../../workers/main.ts', import.meta.url));

export type WorkerProcess = AsyncDisposable & {
  readonly pid: number;
  /** All it wrote to standard error: its log. */
  readonly log: () => string;
  /** Its exit code, or the signal that ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string>;
  /** How it ended by itself. */
  exited(): Promise<number | string>;
};

/** A real worker process; ready when this resolves, unless it has ended by then. */
export async function startWorkerProcess(
  env: Readonly<Record<string, string>>,
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...COMPILE_CACHE, LOG_LEVEL: 'debug', REDIS_PREFIX: 'test', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    log += bytes.toString();
  });
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  await Promise.race([once(child, 'message'), exited]);
  return {
    pid: child.pid ?? 0,
    log: () => log,
    end(signal) {
      child.kill(signal);
      return exited;
    },
    exited: () => exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
