import { baseLink, fileLink, folderLink, resolved, templateLink } from './manifest-links.ts';
import type { ManifestLink } from './manifest-links.ts';
import { escapeXml, malformed, xmlTags, xmlText } from './xml-tags.ts';
import type { XmlAttribute, XmlTag } from './xml-tags.ts';

export type ManifestOptions = {
  /** Where redirects led: what its references are relative to. */
  readonly baseUrl: string;
  /** Epoch time when it came. */
  readonly nowMs: number;
};

export type RewrittenManifest = {
  /** To be joined; links as each viewer has them. */
  readonly pieces: readonly (string | ManifestLink)[];
  /** It grows, or changes: it has to be asked for again. */
  readonly isLive: boolean;
  /** After which a player asks again; absent where it does not say. */
  readonly updateMs: number | undefined;
};

type Edit = { readonly start: number; readonly end: number; readonly by: string | ManifestLink };

type Element = {
  readonly tag: XmlTag;
  /** What references below it are relative to. */
  base: string;
  hasBase: boolean;
};

/** Elements within each other; DASH needs nine. */
const MAX_DEPTH = 64;
const MAX_EDITS = 200_000;

/** They name the source's own servers; without them players ask again where they asked first. */
const LEFT_OUT = new Set(['Location', 'PatchLocation', 'ContentSteering']);

const FILE_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  SegmentURL: ['media', 'index'],
  Initialization: ['sourceURL'],
  RepresentationIndex: ['sourceURL'],
  BitstreamSwitching: ['sourceURL'],
};
const TEMPLATE_ATTRIBUTES = ['media', 'index', 'initialization', 'bitstreamSwitching'];

/**
 * Rewrites the references of an MPD (ISO/IEC 23009-1), so that players come back here; all else
 * stays byte for byte.
 * @throws MediaError `PLAYLIST_MALFORMED`
 */
export function rewriteManifest(text: string, options: ManifestOptions): RewrittenManifest {
  const walk = new ManifestWalk(text, options);
  for (const tag of xmlTags(text)) walk.meet(tag);
  const root = walk.end();
  const said = (name: string): string => attribute(root, name)?.value ?? '';
  return {
    pieces: piecesOf(text, walk.edits),
    isLive: said('type') === 'dynamic',
    updateMs: durationMs(said('minimumUpdatePeriod')),
  };
}

class ManifestWalk {
  readonly edits: Edit[] = [];
  readonly #text: string;
  readonly #options: ManifestOptions;
  readonly #open: Element[] = [];
  #root: XmlTag | undefined;

  constructor(text: string, options: ManifestOptions) {
    this.#text = text;
    this.#options = options;
  }

  meet(tag: XmlTag): void {
    if (tag.kind === 'close') return this.#close(tag);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#begin(tag);
    this.#references(tag, parent?.base ?? this.#options.baseUrl);
    if (tag.kind === 'empty') return this.#leaveOut(tag, tag);
    if (this.#open.length === MAX_DEPTH) throw malformed('It is too deep.');
    this.#open.push({ tag, base: parent?.base ?? this.#options.baseUrl, hasBase: false });
  }

  /** @returns the root's tag. */
  end(): XmlTag {
    if (this.#root === undefined || this.#open.length > 0) throw malformed('It breaks off.');
    return this.#root;
  }

  #begin(tag: XmlTag): void {
    if (tag.localName !== 'MPD' || this.#root) throw malformed('It is no MPD.');
    this.#root = tag;
  }

  #close(tag: XmlTag): void {
    const element = this.#open.pop();
    if (element?.tag.name !== tag.name) throw malformed('Its tags do not match.');
    if (tag.localName === 'BaseURL') this.#base(element.tag, tag);
    if (tag.localName === 'Period' && !element.hasBase) this.#inject(element);
    this.#leaveOut(element.tag, tag);
  }

  #base(from: XmlTag, to: XmlTag): void {
    const parent = this.#open.at(-1);
    if (!parent) return;
    const above = this.#open.at(-2)?.base ?? this.#options.baseUrl;
    const url = resolved(xmlText(this.#text.slice(from.end, to.start)), above);
    if (url === undefined) return;
    // The first of several is as good as any for what is relative to them.
    if (!parent.hasBase) parent.base = url;
    parent.hasBase = true;
    this.#edit(from.end, to.start, baseLink(url));
  }

  #inject({ tag, base }: Element): void {
    const name = `${tag.name.slice(0, -tag.localName.length)}BaseURL`;
    this.#edit(tag.end, tag.end, `<${name}>`);
    this.#edit(tag.end, tag.end, folderLink(base));
    this.#edit(tag.end, tag.end, `</${name}>`);
  }

  #leaveOut(from: XmlTag, to: XmlTag): void {
    if (LEFT_OUT.has(to.localName)) this.#edit(from.start, to.end, '');
  }

  #references(tag: XmlTag, base: string): void {
    const files = FILE_ATTRIBUTES[tag.localName] ?? [];
    for (const name of files) this.#attribute(tag, name, (value) => fileLink(value, base));
    const templates = tag.localName === 'SegmentTemplate' ? TEMPLATE_ATTRIBUTES : [];
    for (const name of templates) this.#attribute(tag, name, (value) => templateLink(value, base));
    if (tag.localName === 'UTCTiming') this.#clock(tag, base);
    this.#remote(tag);
  }

  #attribute(tag: XmlTag, name: string, link: (value: string) => ManifestLink | undefined): void {
    const found = attribute(tag, name);
    const by = found && link(found.value);
    if (found && by) this.#edit(found.start, found.end, by);
  }

  /** A clock at the source's own host becomes ours; those of others stay. */
  #clock(tag: XmlTag, base: string): void {
    const scheme = attribute(tag, 'schemeIdUri');
    const value = attribute(tag, 'value');
    if (!scheme || !value || !scheme.value.startsWith('urn:mpeg:dash:utc:http-')) return;
    const hosts = value.value.split(/\s+/).map((url) => URL.parse(url, base)?.host);
    if (!hosts.includes(new URL(base).host)) return;
    this.#edit(scheme.start, scheme.end, 'urn:mpeg:dash:utc:direct:2014');
    this.#edit(value.start, value.end, new Date(this.#options.nowMs).toISOString());
  }

  /** Remote elements would be asked of the source: they resolve to nothing (5.5.3). */
  #remote(tag: XmlTag): void {
    const found = tag.attributes.find(({ name }) => name.endsWith(':href'));
    if (!found || found.value.startsWith('urn:')) return;
    this.#edit(found.start, found.end, 'urn:mpeg:dash:resolve-to-zero:2013');
  }

  #edit(start: number, end: number, by: Edit['by']): void {
    if (this.edits.length === MAX_EDITS) throw malformed('It has too many references.');
    this.edits.push({ start, end, by });
  }
}

const attribute = (tag: XmlTag, name: string): XmlAttribute | undefined =>
  tag.attributes.find((one) => one.name === name);

function piecesOf(text: string, edits: readonly Edit[]): readonly (string | ManifestLink)[] {
  const pieces: (string | ManifestLink)[] = [];
  let at = 0;
  for (const { start, end, by } of edits.toSorted((a, b) => a.start - b.start)) {
    // Within an element that is left out.
    if (start < at) continue;
    pieces.push(text.slice(at, start), typeof by === 'string' ? by : escaped(by));
    at = end;
  }
  pieces.push(text.slice(at));
  return pieces;
}

const escaped = (link: ManifestLink): ManifestLink => ({ ...link, rest: escapeXml(link.rest) });

/** xs:duration, as far as manifests use it. */
function durationMs(text: string): number | undefined {
  const match = /^PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?$/.exec(text);
  if (!match) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}
