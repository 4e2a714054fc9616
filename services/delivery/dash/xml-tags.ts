import { MediaError } from '#kernel/app-error';

export type XmlAttribute = {
  readonly name: string;
  /** Unescaped. */
  readonly value: string;
  /** Span of the value between its quotes. */
  readonly start: number;
  readonly end: number;
};

export type XmlTag = {
  readonly kind: 'open' | 'close' | 'empty';
  /** With its prefix, as it is written. */
  readonly name: string;
  /** Without it. */
  readonly localName: string;
  readonly attributes: readonly XmlAttribute[];
  readonly start: number;
  readonly end: number;
};

const TAG_END = /[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>/y;
const NAME = /[^\s<>"'/=]+/y;
const ATTRIBUTE = /\s*([^\s=<>"'/]+)\s*=\s*("[^"]*"|'[^']*')/y;

/** What is no element and may hold what looks like one. */
const SKIPPED: readonly (readonly [begin: string, end: string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
];

/**
 * The tags of an XML text in order, each with its place. Time grows with the text and nothing else,
 * whatever it is made of.
 * @throws MediaError `PLAYLIST_MALFORMED`: not XML, or with a document type: entities are refused.
 */
export function* xmlTags(text: string): Generator<XmlTag> {
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    const skipped = SKIPPED.find(([begin]) => text.startsWith(begin, at));
    if (skipped) {
      at = after(text, skipped[1], at + skipped[0].length);
      continue;
    }
    const tag = tagAt(text, at);
    yield tag;
    at = tag.end;
  }
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  if (at === -1) throw malformed('It breaks off.');
  return at + end.length;
}

function tagAt(text: string, start: number): XmlTag {
  if (text[start + 1] === '!') throw malformed('It has a document type.');
  const end = matchAt(TAG_END, text, start + 1);
  if (end === undefined) throw malformed('It breaks off.');
  const isClose = text[start + 1] === '/';
  const nameStart = start + (isClose ? 2 : 1);
  const nameEnd = matchAt(NAME, text, nameStart);
  if (nameEnd === undefined) throw malformed('It has a tag without a name.');
  const name = text.slice(nameStart, nameEnd);
  const kindOfOpen = text[end - 2] === '/' ? 'empty' : 'open';
  return {
    kind: isClose ? 'close' : kindOfOpen,
    name,
    localName: name.slice(name.indexOf(':') + 1),
    attributes: isClose ? [] : attributesIn(text, nameEnd, end),
    start,
    end,
  };
}

function attributesIn(text: string, from: number, end: number): readonly XmlAttribute[] {
  const found: XmlAttribute[] = [];
  ATTRIBUTE.lastIndex = from;
  for (let match = ATTRIBUTE.exec(text); match; match = ATTRIBUTE.exec(text)) {
    const [, name = '', quoted = ''] = match;
    const valueEnd = ATTRIBUTE.lastIndex - 1;
    if (valueEnd >= end) break;
    const value = unescapeXml(quoted.slice(1, -1));
    found.push({ name, value, start: valueEnd - quoted.length + 2, end: valueEnd });
  }
  return found;
}

function matchAt(pattern: RegExp, text: string, from: number): number | undefined {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

export const unescapeXml = (text: string): string =>
  text.replaceAll(/&(?:#x[\da-f]{1,6}|#\d{1,7}|\w{1,8});/gi, (entity) => {
    const name = entity.slice(1, -1);
    if (!name.startsWith('#')) return NAMED[name] ?? entity;
    const code = Number(name.replace('#', '').replace(/^x/i, '0x'));
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : entity;
  });

/** For text and for values in either kind of quotes. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');

const CDATA_OR_COMMENT = /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->/g;

/** The text of an element's content: without comments, CDATA taken as it is. */
export function xmlText(content: string): string {
  let text = '';
  let at = 0;
  for (const match of content.matchAll(CDATA_OR_COMMENT)) {
    text += unescapeXml(content.slice(at, match.index)) + (match[1] ?? '');
    at = match.index + match[0].length;
  }
  return (text + unescapeXml(content.slice(at))).trim();
}

export const malformed = (what: string): MediaError =>
  new MediaError('PLAYLIST_MALFORMED', { message: `The manifest cannot be read. ${what}` });
