import { wordsOf } from './words.ts';

export type Variables = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([^{}|]+)(?:\|([^{}]*))?\}/g;
const ONLY_PLACEHOLDER = /^\{([^{}|]+)(?:\|([^{}]*))?\}$/;

/**
 * A template as a list of arguments (m3u-proxy contract 9.1): `{name}` and `{name|default}` are
 * replaced; an unknown name without a default stays as it is.
 *
 * The template is cut before anything is put in, so that a value stays in its argument. Only one
 * that stands alone may bring several, as `{output_args}` does.
 */
export const renderTemplate = (template: string, variables: Variables): readonly string[] =>
  wordsOf(template).flatMap((word) => rendered(word, variables));

function rendered(word: string, variables: Variables): readonly string[] {
  const alone = ONLY_PLACEHOLDER.exec(word);
  if (alone === null) return [filledIn(word, variables)];
  const value = valueOf(alone, variables);
  return value === undefined ? [word] : wordsOf(value);
}

const filledIn = (word: string, variables: Variables): string =>
  word.replaceAll(PLACEHOLDER, (...match: string[]) => valueOf(match, variables) ?? match[0] ?? '');

function valueOf(match: readonly (string | undefined)[], variables: Variables): string | undefined {
  const [, name = '', fallback] = match;
  return Object.hasOwn(variables, name) ? variables[name] : fallback;
}
