import { linesOf } from './lines.ts';
import { resolveReference } from './resolve-reference.ts';
import type { TextEncoding } from './resolve-reference.ts';
import { attributesOf, tagOf, valueOf } from './tag-line.ts';
import { VariableScope } from './variables.ts';
import type { Variables } from './variables.ts';

/** Bytes of a resource that a playlist means, both ends included. */
export type ListedRange = { readonly first: number; readonly last: number };

/** A resource as a media playlist names it. */
export type ListedResource = { readonly url: string; readonly range?: ListedRange };

export type ListedSegment = ListedResource & {
  readonly durationMs: number;
  /** Its source has nothing here (`EXT-X-GAP`): it is not asked for. */
  readonly isGap: boolean;
  /** The init segment in force. */
  readonly map?: ListedResource;
};

/** The segments of a media playlist, in order. */
export type SegmentList = {
  readonly segments: readonly ListedSegment[];
  readonly isEnded: boolean;
};

export type SegmentListOptions = {
  /** Where the playlist came from, after redirects. */
  readonly baseUrl: string;
  readonly encoding: TextEncoding;
  readonly imported: Variables;
};

/**
 * Which segments a media playlist lists, with the byte ranges that a player will ask for
 * (RFC 8216 §4.3.2.2: without an offset, a range begins where the one before it ended).
 * Linear in the length of the text. Segments whose URL is not for us are left out.
 */
export function segmentListOf(text: string, options: SegmentListOptions): SegmentList {
  const scan = new Scan(options);
  for (const { start, end } of linesOf(text)) scan.line(text.slice(start, end));
  return { segments: scan.segments, isEnded: scan.isEnded };
}

class Scan {
  readonly segments: ListedSegment[] = [];
  isEnded = false;
  readonly #options: SegmentListOptions;
  readonly #variables: VariableScope;
  /** Where the last range of each URL ended. */
  readonly #ends = new Map<string, number>();
  #durationMs = 0;
  #isGap = false;
  #range = '';
  #map: ListedResource | undefined;

  constructor(options: SegmentListOptions) {
    this.#options = options;
    this.#variables = new VariableScope(options);
  }

  line(content: string): void {
    const tag = tagOf(content);
    if (tag !== undefined) return this.#tag(tag, content);
    const uri = content.trim();
    if (uri !== '' && !uri.startsWith('#')) this.#segment(uri);
  }

  #tag(tag: string, content: string): void {
    if (tag === 'EXTINF') this.#durationMs = Number.parseFloat(valueOf(content)) * 1000 || 0;
    else if (tag === 'EXT-X-BYTERANGE') this.#range = valueOf(content);
    else if (tag === 'EXT-X-GAP') this.#isGap = true;
    else if (tag === 'EXT-X-MAP') this.#initSegment(content);
    else if (tag === 'EXT-X-ENDLIST') this.isEnded = true;
    else if (tag === 'EXT-X-DEFINE') this.#variables.define(content);
  }

  #segment(uri: string): void {
    const resource = this.#resource(uri, this.#range);
    const [durationMs, isGap, map] = [this.#durationMs, this.#isGap, this.#map];
    [this.#durationMs, this.#isGap, this.#range] = [0, false, ''];
    if (resource) this.segments.push({ ...resource, durationMs, isGap, ...(map ? { map } : {}) });
  }

  #initSegment(content: string): void {
    const attributes = new Map(attributesOf(content).map(({ name, value }) => [name, value]));
    const range = attributes.get('BYTERANGE') ?? '';
    // The map's range has an offset or begins at the file's first byte (RFC 8216 §4.3.2.5).
    const full = range === '' || range.includes('@') ? range : `${range}@0`;
    this.#map = this.#resource(attributes.get('URI') ?? '', full);
  }

  #resource(uri: string, rangeText: string): ListedResource | undefined {
    const { baseUrl, encoding } = this.#options;
    const url = resolveReference(this.#variables.inUri(uri), baseUrl, encoding);
    if (url === undefined) return undefined;
    const range = this.#rangeOf(url, rangeText);
    return range ? { url, range } : { url };
  }

  #rangeOf(url: string, text: string): ListedRange | undefined {
    const [, length, offset] = /^(\d+)(?:@(\d+))?$/.exec(text.trim()) ?? [];
    if (length === undefined) return undefined;
    const first = offset === undefined ? (this.#ends.get(url) ?? 0) : Number(offset);
    const next = first + Number(length);
    this.#ends.set(url, next);
    return { first, last: next - 1 };
  }
}
