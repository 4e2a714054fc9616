import { attributesOf } from './tag-line.ts';

/** What `EXT-X-DEFINE` has defined so far (RFC 8216bis §4.4.2.3), name to value. */
export type Variables = ReadonlyMap<string, string>;

const VARIABLE = /\{\$([\w-]+)\}/g;

/** The text with every `{$name}` replaced; `undefined` when one of them is not defined. */
export function substitute(text: string, variables: Variables): string | undefined {
  if (!text.includes('{$')) return text;
  let isComplete = true;
  const replaced = text.replace(VARIABLE, (_match, name: string) => {
    const value = variables.get(name);
    isComplete &&= value !== undefined;
    return value ?? '';
  });
  return isComplete ? replaced : undefined;
}

export type Definition = {
  readonly name: string;
  readonly value: string;
  /** The player cannot learn the value by itself, so the tag has to spell it out. */
  readonly isSpelledOut: boolean;
};

export type DefinitionSources = {
  /** Where the playlist came from, after redirects: `QUERYPARAM` reads its query. */
  readonly baseUrl: string;
  /** The variables of the multivariant playlist: `IMPORT` reads them. */
  readonly imported: Variables;
};

/** What one `#EXT-X-DEFINE` line defines; `undefined` when its value is not known here. */
export function definitionOf(line: string, sources: DefinitionSources): Definition | undefined {
  const attributes = new Map(attributesOf(line).map(({ name, value }) => [name, value]));
  const name = attributes.get('NAME');
  if (name !== undefined) return defined(name, attributes.get('VALUE') ?? '', false);
  const imported = attributes.get('IMPORT');
  if (imported !== undefined) return defined(imported, sources.imported.get(imported), true);
  const parameter = attributes.get('QUERYPARAM');
  return parameter === undefined
    ? undefined
    : defined(parameter, queryValue(sources.baseUrl, parameter), true);
}

function defined(
  name: string,
  value: string | undefined,
  isSpelledOut: boolean,
): Definition | undefined {
  return value === undefined ? undefined : { name, value, isSpelledOut };
}

function queryValue(url: string, parameter: string): string | undefined {
  return URL.parse(url)?.searchParams.get(parameter) ?? undefined;
}

/** The tag line that defines a variable by name and value, if a quoted string can hold it. */
export function definitionLine({ name, value }: Definition): string | undefined {
  if (/["\r\n]/.test(value) || /["\r\n]/.test(name)) return undefined;
  return `#EXT-X-DEFINE:NAME="${name}",VALUE="${value}"`;
}
