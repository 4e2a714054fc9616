import { attributesOf } from './tag-line.ts';

/** What `EXT-X-DEFINE` has defined so far (RFC 8216bis §4.4.2.3), name to value. */
export type Variables = ReadonlyMap<string, string>;

export type DefinitionSources = {
  /** Where the playlist came from, after redirects: `QUERYPARAM` reads its query. */
  readonly baseUrl: string;
  /** The variables of the multivariant playlist: `IMPORT` reads them. */
  readonly imported: Variables;
};

const VARIABLE = /\{\$([\w-]+)\}/g;

/** More than any list needs, and little enough to travel in every link of a playlist. */
const MAX_VARIABLES = 256;
const MAX_VALUE_CHARS = 4096;
/** A line of references to long values could grow without bounds. */
const MAX_SUBSTITUTED_CHARS = 64 * 1024;
/** So could a list of such lines: a token of 160 characters in each of 200,000 lines is room enough. */
const MAX_ALL_SUBSTITUTED_CHARS = 64 * 1024 * 1024;

/**
 * The variables of one playlist, as its lines define them.
 *
 * Values that a player would have to find for itself are *hidden*: it does not know the query of
 * the source's URL, and may not have loaded our multivariant playlist. Their lines are taken out,
 * and wherever they are used the value is written. So a player never meets a definition that it
 * cannot follow, and sees of a query no more than is used.
 */
export class VariableScope {
  readonly #sources: DefinitionSources;
  readonly #values = new Map<string, string>();
  readonly #hidden = new Map<string, string>();
  #now: Variables | undefined;
  /** For all lines together. */
  #room = MAX_ALL_SUBSTITUTED_CHARS;

  constructor(sources: DefinitionSources) {
    this.#sources = sources;
  }

  /** As they are now: what is defined later is in the next one. */
  get all(): Variables {
    return (this.#now ??= new Map(this.#values));
  }

  /**
   * Takes an `EXT-X-DEFINE` line.
   * @returns whether the line stays for the player.
   */
  define(line: string): boolean {
    const attributes = new Map(attributesOf(line).map(({ name, value }) => [name, value]));
    const name = attributes.get('NAME');
    if (name !== undefined) {
      this.#remember(name, attributes.get('VALUE') ?? '');
      return true;
    }
    const hidden = attributes.get('IMPORT') ?? attributes.get('QUERYPARAM');
    if (hidden === undefined) return true;
    const value = attributes.has('IMPORT')
      ? this.#sources.imported.get(hidden)
      : queryValue(this.#sources.baseUrl, hidden);
    if (value !== undefined && this.#remember(hidden, value)) this.#hidden.set(hidden, value);
    return false;
  }

  /** A URI with every variable that is defined in place; other references stay as they are. */
  inUri(text: string): string {
    return this.#substitute(text, this.#values);
  }

  /** Any other quoted value: with what the player does not know in place. */
  inText(text: string): string {
    return this.#hidden.size === 0 ? text : this.#substitute(text, this.#hidden, isQuotable);
  }

  #substitute(text: string, values: Variables, isAllowed?: (value: string) => boolean): string {
    const substituted = this.#room > 0 ? substitute(text, values, isAllowed) : text;
    if (substituted !== text) this.#room -= substituted.length;
    return substituted;
  }

  #remember(name: string, value: string): boolean {
    const isTooMuch = this.#values.size >= MAX_VARIABLES || value.length > MAX_VALUE_CHARS;
    if (isTooMuch) return false;
    this.#values.set(name, value);
    this.#now = undefined;
    return true;
  }
}

/** Whether a quoted string can hold it (RFC 8216 §4.2). */
const isQuotable = (value: string): boolean => !/["\r\n]/.test(value);

function substitute(
  text: string,
  variables: Variables,
  isAllowed: (value: string) => boolean = () => true,
): string {
  if (!text.includes('{$')) return text;
  let room = MAX_SUBSTITUTED_CHARS;
  return text.replace(VARIABLE, (reference, name: string) => {
    const value = variables.get(name);
    if (value === undefined || !isAllowed(value) || value.length > room) return reference;
    room -= value.length;
    return value;
  });
}

function queryValue(url: string, parameter: string): string | undefined {
  return URL.parse(url)?.searchParams.get(parameter) ?? undefined;
}
