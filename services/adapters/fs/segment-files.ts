import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SegmentFiles } from '#segments';

/** A file that is not whole yet. */
const PARTIAL = '.part';

/**
 * Opens the folder of this process below `root`, empty. Folders of processes that run no more are
 * removed; those of others are left alone.
 *
 * @param root - Of one machine: its folders are named by process ids.
 * @returns the files, and `close`, which removes them all.
 * @throws the system's error when the folder cannot be made.
 */
export async function openSegmentFiles(
  root: string,
): Promise<SegmentFiles & { close(): Promise<void> }> {
  const folder = join(root, String(process.pid));
  await mkdir(root, { recursive: true });
  await Promise.all((await strangers(root)).map((name) => removeAll(join(root, name))));
  await mkdir(folder, { recursive: true });
  return {
    async write(name, bytes) {
      const partial = join(folder, `${name}${PARTIAL}`);
      try {
        await writeFile(partial, bytes);
        await rename(partial, join(folder, name));
      } catch (error) {
        await removeAll(partial);
        throw error;
      }
    },
    read: (name) => readFile(join(folder, name)),
    remove: (name) => removeAll(join(folder, name)),
    close: () => removeAll(folder),
  };
}

/** What nobody who runs has written: also what an earlier process of our own number left. */
async function strangers(root: string): Promise<readonly string[]> {
  const names = await readdir(root);
  return names.filter((name) => name === String(process.pid) || !isRunning(Number(name)));
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be signalled, but it runs.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** What cannot be removed now is removed at the next start. */
const removeAll = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true }).catch(() => {});
