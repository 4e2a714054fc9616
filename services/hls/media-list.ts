import { linesOf } from './lines.ts';
import { resolveReference } from './resolve-reference.ts';
import type { TextEncoding } from './resolve-reference.ts';
import { splitSequence, wholeSequence } from './split-sequence.ts';
import type { SplitSequence } from './split-sequence.ts';
import { attributesOf, tagOf, valueOf } from './tag-line.ts';
import { VariableScope } from './variables.ts';
import type { Variables } from './variables.ts';

/** A part of a resource, in bytes. */
export type ByteSpan = { readonly offset: number; readonly length: number };

/** Something that a playlist names: whole, or a part of it. */
export type MediaResource = {
  /** Absolute, http or https. */
  readonly url: string;
  readonly span?: ByteSpan | undefined;
};

/** An AES-128 key in the identity format. */
export type MediaKey = {
  readonly url: string;
  /** 16 bytes, as written. Absent: the segment's media sequence number is it. */
  readonly iv: Buffer | undefined;
};

/** One segment with all that is needed to read it. */
export type MediaSegment = MediaResource & {
  /** Within its epoch (`SplitSequence`): neighbours differ by one. */
  readonly sequence: number;
  readonly durationMs: number;
  /** `EXT-X-DISCONTINUITY` stands in front. */
  readonly startsAnew: boolean;
  /** `EXT-X-GAP`: it is named, and not there. */
  readonly isGap: boolean;
  readonly key: MediaKey | undefined;
  /** What a decoder needs first (`EXT-X-MAP`); the same object while it stays in force. */
  readonly map: (MediaResource & { readonly key: MediaKey | undefined }) | undefined;
};

export type MediaList = {
  readonly segments: readonly MediaSegment[];
  readonly targetDurationMs: number;
  /** `EXT-X-ENDLIST`: nothing will be added. */
  readonly isEnded: boolean;
  /** Some segments can be opened by a DRM system only. */
  readonly isSealed: boolean;
};

export type MediaListOptions = {
  /** Where the text came from, after redirects. */
  readonly baseUrl: string;
  readonly encoding?: TextEncoding;
  /** What the multivariant playlist defined. */
  readonly imported?: Variables;
};

/**
 * Reads a media playlist as a player does (RFC 8216 §4.3). Never throws: what makes no sense is
 * left out, segments whose URI is no http URL included. Parts of low latency are not looked at.
 */
export function readMediaList(text: string, options: MediaListOptions): MediaList {
  const reader = new ListReader(options);
  for (const { start, end } of linesOf(text)) reader.line(text.slice(start, end));
  return reader.list;
}

const DEFAULT_TARGET_MS = 6_000;
/** Of all segments together. */
const MAX_URL_CHARS = 32 * 1024 * 1024;

type Attributes = ReadonlyMap<string, string>;

class ListReader {
  readonly #options: MediaListOptions;
  readonly #segments: MediaSegment[] = [];
  readonly #variables: VariableScope;
  #targetDurationMs = DEFAULT_TARGET_MS;
  #isEnded = false;
  /** A short line can mean a long URL: what does not fit is left out. */
  #room = MAX_URL_CHARS;
  #isSealed = false;
  #sequence = 0;
  #epoch = 0;
  #durationMs = 0;
  #startsAnew = false;
  #isGap = false;
  #range: string | undefined;
  /** Where the last range of each URL ended. */
  readonly #ends = new Map<string, number>();
  #key: MediaKey | undefined;
  #map: MediaSegment['map'];

  constructor(options: MediaListOptions) {
    const { baseUrl, imported = new Map() } = options;
    this.#options = options;
    this.#variables = new VariableScope({ baseUrl, imported });
  }

  get list(): MediaList {
    return {
      segments: this.#segments,
      targetDurationMs: this.#targetDurationMs,
      isEnded: this.#isEnded,
      isSealed: this.#isSealed,
    };
  }

  line(line: string): void {
    const tag = tagOf(line);
    if (tag !== undefined) this.#tags[tag]?.(line);
    else if (/^\s*[^#\s]/.test(line)) this.#segment(line.trim());
  }

  readonly #tags: Readonly<Record<string, (line: string) => void>> = {
    'EXT-X-TARGETDURATION': (line) => {
      const seconds = Number(valueOf(line));
      if (seconds > 0) this.#targetDurationMs = seconds * 1000;
    },
    'EXT-X-MEDIA-SEQUENCE': (line) => {
      const { epoch = 0, rest } = splitSequence(valueOf(line));
      if (!Number.isSafeInteger(rest)) return;
      this.#sequence = rest;
      this.#epoch = epoch;
    },
    'EXT-X-ENDLIST': () => {
      this.#isEnded = true;
    },
    EXTINF: (line) => {
      this.#durationMs = Math.max(0, Number.parseFloat(valueOf(line)) * 1000) || 0;
    },
    'EXT-X-DISCONTINUITY': () => {
      this.#startsAnew = true;
    },
    'EXT-X-GAP': () => {
      this.#isGap = true;
    },
    'EXT-X-BYTERANGE': (line) => {
      this.#range = valueOf(line);
    },
    'EXT-X-KEY': (line) => this.#readKey(attributesIn(line)),
    'EXT-X-MAP': (line) => this.#readMap(attributesIn(line)),
    'EXT-X-DEFINE': (line) => {
      this.#variables.define(line);
    },
  };

  #segment(written: string): void {
    const url = this.#urlOf(written);
    this.#room -= url?.length ?? 0;
    const resource = url === undefined ? undefined : this.#resource(url, this.#range);
    if (resource !== undefined && this.#room > 0) {
      this.#segments.push({
        ...resource,
        sequence: this.#sequence,
        durationMs: this.#durationMs,
        startsAnew: this.#startsAnew,
        isGap: this.#isGap,
        key: this.#keyHere,
        map: this.#map,
      });
    }
    this.#sequence += 1;
    this.#startsAnew = false;
    this.#isGap = false;
    this.#range = undefined;
    this.#durationMs = 0;
  }

  /** A number that cannot be said as one is said as the vector that it stands for. */
  get #keyHere(): MediaKey | undefined {
    if (!this.#key || this.#key.iv || this.#epoch === 0) return this.#key;
    return { ...this.#key, iv: ivOf({ epoch: this.#epoch, rest: this.#sequence }) };
  }

  /** §4.3.2.2: without an offset, a range begins where the last one of the same file ended. */
  #resource(url: string, range: string | undefined): MediaResource {
    const span = spanIn(range, this.#ends.get(url) ?? 0);
    if (!span) return { url };
    this.#ends.set(url, span.offset + span.length);
    return { url, span };
  }

  #readKey(attributes: Attributes): void {
    // Keys of DRM systems stand beside the one that players fetch themselves.
    const isIdentity = (attributes.get('KEYFORMAT') ?? 'identity') === 'identity';
    const method = attributes.get('METHOD');
    if (method === 'NONE') {
      this.#key = undefined;
      return;
    }
    const url = this.#urlOf(attributes.get('URI') ?? '');
    if (!isIdentity || method !== 'AES-128' || url === undefined) {
      this.#isSealed ||= isIdentity || this.#key === undefined;
      return;
    }
    this.#isSealed = false;
    this.#key = { url, iv: bytesOfHex(attributes.get('IV')) };
  }

  #readMap(attributes: Attributes): void {
    const url = this.#urlOf(attributes.get('URI') ?? '');
    if (url === undefined) return;
    // §4.3.2.5: without an offset it begins with the file. No range of a segment goes on from it.
    const span = spanIn(attributes.get('BYTERANGE'), 0);
    this.#map = { url, ...(span ? { span } : {}), key: this.#key };
  }

  #urlOf(written: string): string | undefined {
    const { baseUrl, encoding } = this.#options;
    return resolveReference(this.#variables.inUri(written), baseUrl, encoding);
  }
}

/** Nothing where it is not written as a range. */
function spanIn(text: string | undefined, offsetElse: number): ByteSpan | undefined {
  const [, length, offset] = /^(\d+)(?:@(\d+))?$/.exec(text?.trim() ?? '') ?? [];
  if (length === undefined) return undefined;
  return { offset: offset === undefined ? offsetElse : Number(offset), length: Number(length) };
}

const attributesIn = (line: string): Attributes =>
  new Map(attributesOf(line).map(({ name, value }) => [name, value]));

function bytesOfHex(text: string | undefined): Buffer | undefined {
  const digits = /^0x([0-9a-f]{1,32})$/i.exec(text?.trim() ?? '')?.[1];
  return digits === undefined ? undefined : Buffer.from(digits.padStart(32, '0'), 'hex');
}

/** The initialisation vector that a media sequence number stands for (RFC 8216 §5.2). */
export const ivOfSequence = (sequence: number): Buffer => ivOf({ rest: sequence });

function ivOf(sequence: SplitSequence): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeBigUInt64BE(BigInt.asUintN(64, wholeSequence(sequence)), 8);
  return iv;
}
