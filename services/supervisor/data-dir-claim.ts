import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessError } from './launched.ts';

/**
 * Marks the data folder as ours while we run, so that a second supervisor is told at once.
 * A mark that a killed supervisor left behind counts for nothing.
 *
 * @returns how to give it back. Idempotent.
 * @throws ProcessError when another supervisor runs on it.
 */
export function claimDataDir(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true });
  const mark = join(dataDir, 'supervisor.pid');
  const owner = Number(readIfThere(mark));
  if (owner > 0 && owner !== process.pid && isSupervisor(owner)) {
    throw new ProcessError(
      `Penstock already runs on ${dataDir}, as process ${owner}. Stop that one, or set another DATA_DIR.`,
    );
  }
  writeFileSync(mark, `${process.pid}\n`);
  return () => {
    if (Number(readIfThere(mark)) === process.pid) rmSync(mark, { force: true });
  };
}

/** Process ids come round again: one that is no supervisor is somebody else's by now. */
const isSupervisor = (pid: number): boolean =>
  readIfThere(`/proc/${pid}/cmdline`).includes('supervisor/main.ts');

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
