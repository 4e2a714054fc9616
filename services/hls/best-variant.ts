import { hasPictures } from './codecs.ts';
import { linesOf } from './lines.ts';
import { resolveReference } from './resolve-reference.ts';
import { attributesOf, tagOf } from './tag-line.ts';
import type { MediaListOptions } from './media-list.ts';
import { VariableScope } from './variables.ts';
import type { Variables } from './variables.ts';

/** What to read of a multivariant playlist. */
export type BestVariant = {
  readonly url: string;
  /** Sound that comes apart from the pictures. */
  readonly audioUrl: string | undefined;
  readonly variables: Variables;
};

type Attributes = ReadonlyMap<string, string>;
type Variant = { readonly attributes: Attributes; readonly uri: string };

/**
 * The variant with the most bits per second that has pictures, or the one with the most where none
 * has; with the default one of its sound renditions. `undefined` where there is no variant.
 */
export function bestVariant(text: string, options: MediaListOptions): BestVariant | undefined {
  const { variants, renditions, variables } = scan(text, options);
  const best = variants.toSorted(byRank)[0];
  if (best === undefined) return undefined;
  const toUrl = (written: string | undefined): string | undefined =>
    written && resolveReference(variables.inUri(written), options.baseUrl, options.encoding);
  const url = toUrl(best.uri);
  if (url === undefined) return undefined;
  const audioUrl = toUrl(soundOf(best, renditions)?.get('URI'));
  return { url, audioUrl: audioUrl === url ? undefined : audioUrl, variables: variables.all };
}

/** The default rendition of the variant's group; one without a URI is inside the variant. */
function soundOf(
  { attributes }: Variant,
  renditions: readonly Attributes[],
): Attributes | undefined {
  const group = renditions.filter(
    (rendition) =>
      rendition.get('TYPE') === 'AUDIO' && rendition.get('GROUP-ID') === attributes.get('AUDIO'),
  );
  const choices = ['DEFAULT', 'AUTOSELECT'].map((name) =>
    group.find((rendition) => rendition.get(name) === 'YES'),
  );
  return choices[0] ?? choices[1] ?? group[0];
}

const byRank = (one: Variant, other: Variant): number =>
  Number(showsPictures(other)) - Number(showsPictures(one)) || bitsOf(other) - bitsOf(one);

const bitsOf = ({ attributes }: Variant): number => Number(attributes.get('BANDWIDTH')) || 0;

const showsPictures = ({ attributes }: Variant): boolean =>
  hasPictures(attributes.get('RESOLUTION'), attributes.get('CODECS'));

function scan(text: string, { baseUrl, imported = new Map() }: MediaListOptions) {
  const variants: Variant[] = [];
  const renditions: Attributes[] = [];
  const variables = new VariableScope({ baseUrl, imported });
  let attributes: Attributes | undefined;
  for (const { start, end } of linesOf(text)) {
    const line = text.slice(start, end);
    const tag = tagOf(line);
    if (tag === 'EXT-X-STREAM-INF') attributes = attributesIn(line);
    else if (tag === 'EXT-X-MEDIA') renditions.push(attributesIn(line));
    else if (tag === 'EXT-X-DEFINE') variables.define(line);
    else if (attributes !== undefined && /^\s*[^#\s]/.test(line)) {
      variants.push({ attributes, uri: line.trim() });
      attributes = undefined;
    }
  }
  return { variants, renditions, variables };
}

const attributesIn = (line: string): Attributes =>
  new Map(attributesOf(line).map(({ name, value }) => [name, value]));
