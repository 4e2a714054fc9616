import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlateMaker } from '#delivery';
import type { Logger } from '#kernel/logger';
import { slateRecipe } from './slate-recipe.ts';

/** It takes about a second of one core; a machine may be busy while it starts. */
const DEADLINE_MS = 30_000;
const MAX_BYTES = 4 * 1024 * 1024;

export type SlateMakerOptions = {
  /** FFmpeg, by path or by name. */
  readonly program: string;
  /** Where what was made is kept; made when it is not there. */
  readonly folder: string;
  readonly logger: Logger;
};

/**
 * Makes the built-in slate with FFmpeg, and keeps it under a name that stands for its recipe:
 * FFmpeg runs once per data folder and recipe.
 */
export function createSlateMaker({ program, folder, logger }: SlateMakerOptions): SlateMaker {
  return {
    async make(look, signal) {
      const recipe = slateRecipe(look);
      if (recipe === undefined) return undefined;
      const name = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
      const path = join(folder, `built-in-${name.slice(0, 12)}.ts`);
      const kept = await readFile(path).catch(() => undefined);
      if (kept !== undefined) return kept;
      try {
        const made = await encode(program, recipe, signal);
        await keep(made, folder, path).catch((error: unknown) =>
          logger.warn('built-in slate not kept', { code: codeOf(error) }),
        );
        return made;
      } catch (error) {
        if (!signal.aborted) logger.warn('no built-in slate', { code: codeOf(error) });
        return undefined;
      }
    },
  };
}

function encode(program: string, recipe: readonly string[], signal: AbortSignal): Promise<Buffer> {
  const options = {
    encoding: 'buffer',
    maxBuffer: MAX_BYTES,
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, recipe, options, (error, output) => {
      if (error === null) resolve(output);
      else reject(error);
    });
  });
}

/** Whole or not at all: several processes may do this at once. */
async function keep(bytes: Buffer, folder: string, path: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, bytes);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The system's word, the exit code, or that it was killed after the deadline. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('killed' in error && error.killed === true) return 'TIMEOUT';
  return 'code' in error ? String(error.code) : 'unknown';
}
