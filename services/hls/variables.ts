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

  constructor(sources: DefinitionSources) {
    this.#sources = sources;
  }

  get all(): Variables {
    return this.#values;
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
    return substitute(text, this.#values);
  }

  /** Any other quoted value: with what the player does not know in place. */
  inText(text: string): string {
    return this.#hidden.size === 0 ? text : substitute(text, this.#hidden, isQuotable);
  }

  #remember(name: string, value: string): boolean {
    const isTooMuch = this.#values.size >= MAX_VARIABLES || value.length > MAX_VALUE_CHARS;
    if (!isTooMuch) this.#values.set(name, value);
    return !isTooMuch;
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
