import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const FILE = new URL('../openapi.yaml', import.meta.url);

/** Reads `openapi.yaml`. For start-up: it blocks, and throws when the file is missing or broken. */
export function readApiDocument(): Readonly<Record<string, unknown>> {
  return parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, unknown>>;
}
