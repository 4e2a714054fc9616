import { CommandFailure, EXIT } from '../failure.ts';
import { fileText } from './file-text.ts';

/** The JSON object in a file, or from standard input with `-`. @throws CommandFailure */
export async function readBody(from: string): Promise<object> {
  const text = await fileText(from);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  } catch {
    // A parser's message repeats what it read, and that has passwords in it.
  }
  throw new CommandFailure(`--from: ${from} is no JSON object`, EXIT.usage);
}
