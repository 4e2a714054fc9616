import type { Attribute } from './tag-line.ts';
import type { Track } from './track.ts';

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
    return { role, ordinal, bandwidth, ...(stableId === undefined ? {} : { stableId }) };
  }
}

function find(attributes: readonly Attribute[], name: string): string | undefined {
  return attributes.find((attribute) => attribute.name === name)?.value;
}

function bandwidthOf(attributes: readonly Attribute[]): number {
  const bandwidth = Number(find(attributes, 'BANDWIDTH'));
  return Number.isSafeInteger(bandwidth) && bandwidth > 0 ? bandwidth : 0;
}
