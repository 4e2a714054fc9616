import type { Attribute } from './tag-line.ts';
import { TRAITS } from './track.ts';
import type { Track, Traits } from './track.ts';

const ROLE_OF: Readonly<Record<string, string>> = {
  'EXT-X-STREAM-INF': 'variant',
  'EXT-X-I-FRAME-STREAM-INF': 'iframe',
  'EXT-X-IMAGE-STREAM-INF': 'image',
};

/** Numbers the tracks of one multivariant playlist, each role by itself. */
export class TrackCounter {
  readonly #next = new Map<string, number>();

  /** The track that a tag names; `undefined` for tags that name none. */
  next(tag: string, attributes: readonly Attribute[]): Track | undefined {
    const role = tag === 'EXT-X-MEDIA' ? find(attributes, 'TYPE')?.toLowerCase() : ROLE_OF[tag];
    if (role === undefined) return undefined;
    const ordinal = this.#next.get(role) ?? 0;
    this.#next.set(role, ordinal + 1);
    const stableId =
      find(attributes, 'STABLE-VARIANT-ID') ?? find(attributes, 'STABLE-RENDITION-ID');
    const bandwidth = bandwidthOf(attributes);
    const named = stableId === undefined ? {} : { stableId };
    return { role, ordinal, bandwidth, ...named, ...traitsOf(attributes) };
  }
}

function find(attributes: readonly Attribute[], name: string): string | undefined {
  return attributes.find((attribute) => attribute.name === name)?.value;
}

/** They travel in links. */
const MAX_TRAIT_CHARS = 80;

function traitsOf(attributes: readonly Attribute[]): { readonly traits?: Traits } {
  const said = TRAITS.flatMap((name): [string, string][] => {
    const value = find(attributes, name)?.slice(0, MAX_TRAIT_CHARS);
    return value === undefined ? [] : [[name, value]];
  });
  return said.length > 0 ? { traits: Object.fromEntries(said) } : {};
}

function bandwidthOf(attributes: readonly Attribute[]): number {
  const bandwidth = Number(find(attributes, 'BANDWIDTH'));
  return Number.isSafeInteger(bandwidth) && bandwidth > 0 ? bandwidth : 0;
}
