import { CommandFailure, EXIT } from '../failure.ts';

type Pair = readonly [string, string];

/** Options that are given several times, as one map. */
export const toMap = (
  texts: readonly string[],
  toPair: (text: string) => Pair,
): Readonly<Record<string, string>> => Object.fromEntries(texts.map(toPair));

/** `Name: value`. @throws CommandFailure */
export const headerPair = (text: string): Pair => split(text, ':', "--header takes 'Name: value'");

/** `name=value`. @throws CommandFailure */
export const metadataPair = (text: string): Pair => split(text, '=', '--meta takes name=value');

/** `name=value`. @throws CommandFailure */
export const variablePair = (text: string): Pair => split(text, '=', '--variable takes name=value');

/** The text itself is not repeated: headers have tokens in them. */
function split(text: string, separator: string, fault: string): Pair {
  const at = text.indexOf(separator);
  if (at < 1) throw new CommandFailure(fault, EXIT.usage);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
