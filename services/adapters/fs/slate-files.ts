import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlateFiles } from '#delivery';

/** The files of one folder. */
export const slateFilesIn = (folder: string): SlateFiles => ({
  async read(name, maxBytes) {
    const path = join(folder, name);
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === undefined) return undefined;
    return sizeBytes > maxBytes ? 'too-large' : await readFile(path);
  },
});

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
