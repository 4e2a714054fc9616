import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CommandFailure, EXIT } from '../failure.ts';

/** The JSON object in a file, or from standard input with `-`. @throws CommandFailure */
export async function readBody(from: string): Promise<object> {
  try {
    const body: unknown = JSON.parse(
      from === '-' ? await text(process.stdin) : await readFile(from, 'utf8'),
    );
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  } catch (error) {
    if (!(error instanceof SyntaxError))
      throw new CommandFailure(`--from: ${from} cannot be read`, EXIT.usage);
  }
  // A parser's message repeats what it read, and that has passwords in it.
  throw new CommandFailure(`--from: ${from} is no JSON object`, EXIT.usage);
}
