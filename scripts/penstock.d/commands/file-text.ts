import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CommandFailure, EXIT } from '../failure.ts';

/** What `--from` names: a file, or `-` for standard input. @throws CommandFailure */
export async function fileText(from: string): Promise<string> {
  try {
    return from === '-' ? await text(process.stdin) : await readFile(from, 'utf8');
  } catch {
    throw new CommandFailure(`--from: ${from} cannot be read`, EXIT.usage);
  }
}
