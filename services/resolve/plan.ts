import { InvalidInputError } from '#kernel/app-error';
import { OPTIONS } from './option-lists.ts';
import type { OptionRule } from './option-lists.ts';
import type { ResolverName } from './resolver-name.ts';
import { wordsOf } from './words.ts';

/** How a stream's page is resolved; part of its definition, and so durable. */
export type ResolverPlan = {
  readonly program: ResolverName;
  /** As posted, for answers and ids. */
  readonly args: string;
  /** Quality for Streamlink, format for yt-dlp, in their languages. */
  readonly selector: string;
  /** Each `name` or `name=value`, without dashes; all of the list of what is harmless. */
  readonly options: readonly string[];
  /** The text of a cookies file: a secret. */
  readonly cookies: string | null;
  /** A file of the folder for cookies files. */
  readonly cookiesPath: string | null;
};

export type ResolverRequest = {
  readonly program: ResolverName;
  readonly args: string;
  readonly cookies: string | null;
  readonly cookiesPath: string | null;
};

const SELECTORS: Readonly<Record<ResolverName, string>> = {
  streamlink: 'best',
  ytdlp: 'bestvideo+bestaudio/best',
};

const MOST_CHARS = 2_000;

/**
 * What a request for a resolver comes to: a selector, then options.
 * @throws InvalidInputError `RESOLVER_ARGS_REFUSED`, naming the option.
 */
export function resolverPlanOf(request: ResolverRequest): ResolverPlan {
  const { program, args } = request;
  if (args.length > MOST_CHARS) throw refused('resolver_args is too long.');
  const words = wordsOf(args);
  if (words === undefined) throw refused('A quote in resolver_args is not closed.');
  const [first = ''] = words;
  const hasSelector = first !== '' && !first.startsWith('-');
  const rest = hasSelector ? words.slice(1) : words;
  const { selector, options } = new OptionReader(program, rest).read();
  const named = hasSelector ? first : (selector ?? SELECTORS[program]);
  if (!SELECTOR.test(named)) throw refused('The selector in resolver_args is not one.');
  return { ...request, selector: named, options };
}

const SELECTOR = /^[\x20-\x7e]{1,500}$/;

/** Takes options off one by one. */
class OptionReader {
  readonly #program: ResolverName;
  readonly #words: string[];
  readonly #options: string[] = [];
  #selector: string | undefined;

  constructor(program: ResolverName, words: readonly string[]) {
    this.#program = program;
    this.#words = [...words];
  }

  read(): { readonly selector: string | undefined; readonly options: readonly string[] } {
    for (let word = this.#words.shift(); word !== undefined; word = this.#words.shift()) {
      this.#take(word);
    }
    return { selector: this.#selector, options: this.#options };
  }

  #take(word: string): void {
    const [, name = '', given] = /^(--?[A-Za-z0-9-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const rule = OPTIONS[this.#program].get(name);
    if (rule === undefined) throw refused(`resolver_args may not have ${shown(word)}.`);
    const value = this.#valueFor(rule, name, given);
    if (rule.use === 'selector') this.#selector = value;
    if (rule.use === 'passed') {
      this.#options.push(value === undefined ? rule.name : `${rule.name}=${value}`);
    }
  }

  #valueFor(rule: OptionRule, name: string, given: string | undefined): string | undefined {
    if (rule.value === undefined) {
      if (given !== undefined) throw refused(`${name} in resolver_args takes no value.`);
      return undefined;
    }
    const value = given ?? this.#words.shift();
    if (value !== undefined && rule.value.test(value)) return value;
    throw refused(`The value of ${name} in resolver_args is not one that it takes.`);
  }
}

const shown = (word: string): string => {
  const [name = ''] = word.split('=', 1);
  return /^[\w.-]{1,40}$/.test(name) ? name : 'this word';
};

const refused = (message: string): InvalidInputError =>
  new InvalidInputError('RESOLVER_ARGS_REFUSED', { message });
