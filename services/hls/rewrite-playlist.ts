import { MediaError } from '#kernel/app-error';
import { isPlaylist, withoutBom } from './is-playlist.ts';
import { linesOf } from './lines.ts';
import type { Line } from './lines.ts';
import { resolveReference } from './resolve-reference.ts';
import type { TextEncoding } from './resolve-reference.ts';
import { attributesOf, tagOf, valueOf } from './tag-line.ts';
import type { Attribute } from './tag-line.ts';
import { TrackCounter } from './track-counter.ts';
import { withSoundApart } from './track.ts';
import type { Track, TrackUrl } from './track.ts';
import {
  PREFETCH_TAG,
  STEERING_TAG,
  canHoldUri,
  kindOf,
  needsAbsolute,
  partOf,
} from './uri-tags.ts';
import type { ResourceKind } from './uri-tags.ts';
import { VariableScope } from './variables.ts';
import type { Variables } from './variables.ts';

/** One URI of a playlist that is to come back to us. */
export type Reference = {
  readonly kind: ResourceKind;
  /** Absolute, http or https, variables substituted. */
  readonly url: string;
  /** The bytes that are replaced, as they stand in the text. */
  readonly written: string;
  /** Of a segment: it is a part of one, or is named and may not be there. */
  readonly as?: 'part' | 'gap' | 'hint';
  /** Where a multivariant playlist names it as one of its tracks. */
  readonly track?: Track;
  /** Players cannot resolve a relative URL in its place. */
  readonly isAbsolute?: true;
  /** What the text has defined up to here. */
  readonly variables: Variables;
};

export type RewriteOptions = {
  /** Where the playlist came from, after redirects: relative URIs resolve against it. */
  readonly baseUrl: string;
  readonly encoding?: TextEncoding;
  /** Variables of the multivariant playlist that led here. */
  readonly imported?: Variables;
  /** The URL to write instead, without anything that differs from viewer to viewer. */
  readonly toLocal: (reference: Reference) => string;
  /** What is to stand at the very end of that URL, behind what differs; nothing, when absent. */
  readonly endOf?: (reference: Reference) => string;
};

/**
 * Rewrites every URI of a playlist so that players come back to this service.
 *
 * Only the bytes of the URIs are replaced. `EXT-X-DEFINE` lines whose value the player cannot know
 * (`IMPORT`, `QUERYPARAM`) are taken out, and the value is written where it is used; so is
 * `EXT-X-CONTENT-STEERING` whose server cannot be asked through here. A BOM is cut off.
 * All else is returned as it came, line ends and unknown tags included (RFC 8216 §6.3.1). URIs of
 * other schemes than http and https and keys of DRM systems are left alone; a variable that nobody
 * defined is taken as it is written. Linear in the length of the text.
 *
 * @returns The text in pieces, cut behind each local URL: joined by what follows every URL for
 *   one viewer (`&client_id=…`) they are that viewer's playlist; joined by nothing, the text.
 * @throws {@link MediaError} `PLAYLIST_MALFORMED` when the first line is not `#EXTM3U`,
 *   `PLAYLIST_TOO_LARGE` for more than 200,000 URIs, or URLs of more than 32 Mi characters in all.
 * @see https://www.rfc-editor.org/rfc/rfc8216#section-4
 */
export function rewritePlaylist(text: string, options: RewriteOptions): readonly string[] {
  const rewriter = rewriterOf(text, options);
  for (const line of linesOf(rewriter.text)) rewriter.line(line);
  return rewriter.finish();
}

/** Lines between two pauses: a few milliseconds of work. */
const LINES_PER_STRETCH = 500;

/**
 * {@link rewritePlaylist} for long playlists: lets others run between stretches of the text.
 *
 * @param pause - Resolves when it is our turn again.
 */
export async function rewriteLongPlaylist(
  text: string,
  options: RewriteOptions,
  pause: () => Promise<void>,
): Promise<readonly string[]> {
  const rewriter = rewriterOf(text, options);
  let lines = 0;
  for (const line of linesOf(rewriter.text)) {
    rewriter.line(line);
    lines += 1;
    if (lines % LINES_PER_STRETCH === 0) await pause();
  }
  return rewriter.finish();
}

/** Every track that a multivariant playlist names. */
export function tracksOf(
  text: string,
  options: Omit<RewriteOptions, 'toLocal'>,
): readonly TrackUrl[] {
  const tracks: TrackUrl[] = [];
  const toLocal = ({ track, url, variables, written }: Reference): string => {
    if (track) tracks.push({ track, url, variables });
    return written;
  };
  rewritePlaylist(text, { ...options, toLocal });
  return withSoundApart(tracks);
}

function rewriterOf(text: string, options: RewriteOptions): Rewriter {
  if (isPlaylist(text)) return new Rewriter(withoutBom(text), options);
  throw new MediaError('PLAYLIST_MALFORMED', { message: 'The text is not a playlist.' });
}

const VARIANT_TAG = 'EXT-X-STREAM-INF';

/** A day of one-second segments, twice over; each costs a link of a few hundred characters. */
const MAX_URIS = 200_000;
/** All together: a short line can mean a long URL, by its base or by what variables hold. */
const MAX_URL_CHARS = 32 * 1024 * 1024;

const tooMany = (): MediaError =>
  new MediaError('PLAYLIST_TOO_LARGE', {
    message: 'The playlist lists more than any player could use.',
    details: { maxUris: MAX_URIS, maxUrlChars: MAX_URL_CHARS },
  });

const isTrack = (kind: ResourceKind, track: Track | undefined): track is Track =>
  kind === 'playlist' && track !== undefined;

type Span = { readonly start: number; readonly end: number };
type Target = Pick<Reference, 'kind' | 'as' | 'track' | 'isAbsolute'>;

/** One pass over one text. */
class Rewriter {
  readonly text: string;
  readonly #options: RewriteOptions;
  readonly #variables: VariableScope;
  readonly #tracks = new TrackCounter();
  readonly #pieces: string[] = [];
  /** What has been written since the last cut. */
  #piece = '';
  #copiedTo = 0;
  #uris = 0;
  #urlChars = 0;
  /** The track whose `EXT-X-STREAM-INF` waits for its URI line. */
  #variant: Track | undefined;
  /** `EXT-X-GAP` waits for its URI line. */
  #isGap = false;

  constructor(text: string, options: RewriteOptions) {
    this.text = text;
    this.#options = options;
    const { baseUrl, imported = new Map() } = options;
    this.#variables = new VariableScope({ baseUrl, imported });
  }

  /** What is left is the last piece. Call once, after all lines. */
  finish(): readonly string[] {
    return [...this.#pieces, this.#piece + this.text.slice(this.#copiedTo)];
  }

  line(line: Line): void {
    const content = this.text.slice(line.start, line.end);
    const tag = tagOf(content);
    if (tag !== undefined) return this.#tagLine(line, content, tag);
    const uri = content.trim();
    if (uri === '' || uri.startsWith('#')) return;
    this.#uriLine(line.start + content.indexOf(uri), uri);
  }

  #uriLine(start: number, uri: string): void {
    const target = this.#announced();
    this.#variant = undefined;
    this.#isGap = false;
    this.#rewrite({ start, end: start + uri.length }, target);
  }

  #announced(): Target {
    if (this.#variant) return { kind: 'playlist', track: this.#variant };
    return this.#isGap ? { kind: 'segment', as: 'gap' } : { kind: 'segment' };
  }

  #tagLine(line: Line, content: string, tag: string): void {
    if (this.#plainTags[tag]?.(line, content)) return;
    if (tag !== VARIANT_TAG && !canHoldUri(tag) && !content.includes('{$')) return;
    const attributes = attributesOf(content);
    if (tag === VARIANT_TAG) this.#variant = this.#tracks.next(tag, attributes);
    if (tag === STEERING_TAG && !this.#canSteer(attributes)) return this.#takeOut(line);
    this.#attributes(line.start, tag, attributes);
  }

  /** Tags without attributes that could hold a URI; true: nothing else is to be done about them. */
  readonly #plainTags: Readonly<Record<string, (line: Line, content: string) => true>> = {
    EXTINF: () => true,
    'EXT-X-GAP': () => (this.#isGap = true),
    'EXT-X-DEFINE': (line, content) => this.#define(line, content),
    [PREFETCH_TAG]: (line, content) => this.#prefetch(line, content),
  };

  #define(line: Line, content: string): true {
    if (!this.#variables.define(content)) this.#takeOut(line);
    return true;
  }

  #prefetch(line: Line, content: string): true {
    const uri = valueOf(content);
    const start = line.start + content.indexOf(uri, PREFETCH_TAG.length + 2);
    this.#rewrite({ start, end: start + uri.length }, { kind: 'segment', as: 'hint' });
    return true;
  }

  /** Where the server is none that we can ask, players steer by nothing. */
  #canSteer(attributes: readonly Attribute[]): boolean {
    const server = attributes.find(({ name }) => name === 'SERVER-URI');
    return server !== undefined && this.#resolve(server.value) !== undefined;
  }

  #attributes(lineStart: number, tag: string, attributes: readonly Attribute[]): void {
    const values = new Map(attributes.map(({ name, value }) => [name, value]));
    const kinds = attributes.map(({ name }) => kindOf(tag, name, values));
    // One line names one track, however many addresses it has for it.
    const track = kinds.includes('playlist') ? this.#tracks.next(tag, attributes) : undefined;
    const as = partOf(tag, values);
    const traits = {
      ...(needsAbsolute(tag) ? { isAbsolute: true as const } : {}),
      ...(as ? { as } : {}),
    };
    for (const [index, { value, start, end }] of attributes.entries()) {
      const span = { start: lineStart + start, end: lineStart + end };
      const kind = kinds[index];
      if (kind === undefined) this.#substitute(span, value);
      else this.#rewrite(span, { kind, ...traits, ...(isTrack(kind, track) ? { track } : {}) });
    }
  }

  #substitute(span: Span, value: string): void {
    const text = this.#variables.inText(value);
    if (text !== value) this.#replace(span, text);
  }

  #rewrite(span: Span, target: Target): void {
    const written = this.text.slice(span.start, span.end);
    const url = this.#resolve(written);
    if (url === undefined) return;
    this.#uris += 1;
    this.#urlChars += url.length;
    if (this.#uris > MAX_URIS || this.#urlChars > MAX_URL_CHARS) throw tooMany();
    const { toLocal, endOf } = this.#options;
    const reference = { ...target, url, written, variables: this.#variables.all };
    this.#replace(span, toLocal(reference));
    this.#cut();
    this.#piece = endOf?.(reference) ?? '';
  }

  #resolve(written: string): string | undefined {
    const { baseUrl, encoding } = this.#options;
    return resolveReference(this.#variables.inUri(written), baseUrl, encoding);
  }

  #takeOut({ start, next }: Line): void {
    this.#replace({ start, end: next }, '');
  }

  #replace({ start, end }: Span, replacement: string): void {
    this.#piece += this.text.slice(this.#copiedTo, start) + replacement;
    this.#copiedTo = end;
  }

  #cut(): void {
    this.#pieces.push(this.#piece);
    this.#piece = '';
  }
}
