import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const FILE = new URL('../openapi.yaml', import.meta.url);

/** Reads `openapi.yaml`, which blocks for long. @throws Error when it is missing or broken. */
export function readApiDocument(): Readonly<Record<string, unknown>> {
  return parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, unknown>>;
}
