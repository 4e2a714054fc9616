import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkFiles } from '#networks';

/** Files of networks where they lie. */
export const networkFiles: NetworkFiles = {
  readText: (folder, name) => readFile(join(folder, name), 'utf8').catch(noneWhenAbsent),
  remove: (folder) => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
};

export function noneWhenAbsent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
