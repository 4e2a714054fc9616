/** One `NAME=value` of a tag; `[start, end)` is the value's place in the line, quotes excluded. */
export type Attribute = {
  readonly name: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

/** The tag of a line such as `#EXT-X-KEY:METHOD=…`, without `#`; `undefined` for comments. */
export function tagOf(line: string): string | undefined {
  if (!line.startsWith('#EXT')) return undefined;
  const colon = line.indexOf(':');
  return (colon === -1 ? line : line.slice(0, colon)).slice(1).trimEnd();
}

/** What follows the tag's colon. */
export function valueOf(line: string): string {
  const colon = line.indexOf(':');
  return colon === -1 ? '' : line.slice(colon + 1).trim();
}

/**
 * The attributes of a tag line, in order.
 *
 * Follows RFC 8216 §4.2 where writers do, and forgives where they do not: blanks around `=` and
 * `,` are skipped, and a quote that never closes reaches to the end of the line.
 */
export function attributesOf(line: string): Attribute[] {
  const found: Attribute[] = [];
  let at = line.indexOf(':') + 1;
  if (at === 0) return found;
  while (at < line.length) {
    const equals = line.indexOf('=', at);
    if (equals === -1) break;
    const name = nameBefore(line, at, equals);
    const { start, end, next } = valueAfter(line, equals + 1);
    found.push({ name, value: line.slice(start, end), start, end });
    at = next;
  }
  return found;
}

/** A word without a value may stand in front, closed by a comma: it is no part of the name. */
function nameBefore(line: string, from: number, equals: number): string {
  const comma = line.lastIndexOf(',', equals);
  return line.slice(Math.max(from, comma + 1), equals).trim();
}

type ValueSpan = { readonly start: number; readonly end: number; readonly next: number };

function valueAfter(line: string, from: number): ValueSpan {
  let start = from;
  while (line[start] === ' ' || line[start] === '\t') start += 1;
  if (line[start] === '"') return quoted(line, start + 1);
  const comma = indexOr(line, ',', start);
  const end = start + line.slice(start, comma).trimEnd().length;
  return { start, end, next: comma + 1 };
}

function quoted(line: string, start: number): ValueSpan {
  const end = indexOr(line, '"', start);
  return { start, end, next: indexOr(line, ',', end) + 1 };
}

function indexOr(line: string, mark: string, from: number): number {
  const at = line.indexOf(mark, from);
  return at === -1 ? line.length : at;
}
