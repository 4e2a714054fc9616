import type { DocumentOptions } from './asset-list.ts';
import { isObject, objectsIn, parseJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';
import type { UriReplacement } from './pathway.ts';
import { resolveReference } from './resolve-reference.ts';

export type SteeringOptions = DocumentOptions & {
  /**
   * What a player must add to the URLs of a pathway for this service to clone it: names and values
   * of query parameters; `undefined` when it cannot be said.
   */
  readonly toParams: (replacement: UriReplacement) => Readonly<Record<string, string>> | undefined;
};

const MAX_CLONES = 32;

/**
 * Rewrites a steering manifest (content steering 1.2, §5) so that players steer between URLs of
 * this service: `RELOAD-URI` leads back here, and cloned pathways differ from what they clone by a
 * parameter of our URLs, behind which the replacement of host, parameters or whole URIs takes place.
 * `TTL`, `PATHWAY-PRIORITY` and all else stay. A clone that cannot be said so is left out; players
 * pass over names in the priority that they do not know.
 *
 * @param text - As it came, at most 1 MiB.
 * @throws {@link MediaError} `UPSTREAM_WRONG_TYPE` when it is no JSON object.
 */
export function rewriteSteeringManifest(text: string, options: SteeringOptions): string {
  const manifest = parseJsonObject(text);
  const { baseUrl, toLocal } = options;
  const reload = manifest['RELOAD-URI'];
  const url = typeof reload === 'string' ? resolveReference(reload, baseUrl) : undefined;
  if (url === undefined) delete manifest['RELOAD-URI'];
  else manifest['RELOAD-URI'] = toLocal({ kind: 'steering', url });
  const clones = objectsIn(manifest['PATHWAY-CLONES']).slice(0, MAX_CLONES);
  if ('PATHWAY-CLONES' in manifest) manifest['PATHWAY-CLONES'] = new Clones(options).of(clones);
  return JSON.stringify(manifest);
}

class Clones {
  readonly #options: SteeringOptions;
  /** A clone may be cloned again. */
  readonly #known = new Map<unknown, UriReplacement>();

  constructor(options: SteeringOptions) {
    this.#options = options;
  }

  of(clones: readonly JsonObject[]): JsonObject[] {
    return clones.map((clone) => this.#rewritten(clone)).filter((clone) => clone !== undefined);
  }

  #rewritten(clone: JsonObject): JsonObject | undefined {
    const own = this.#replacementOf(clone['URI-REPLACEMENT']);
    const replacement = own && over(this.#known.get(clone['BASE-ID']), own);
    if (!replacement) return undefined;
    this.#known.set(clone['ID'], replacement);
    const params = this.#options.toParams(replacement);
    return params && { ...clone, 'URI-REPLACEMENT': { PARAMS: params } };
  }

  #replacementOf(value: unknown): UriReplacement | undefined {
    if (!isObject(value)) return undefined;
    const host = value['HOST'];
    const urls = new Map([
      ...this.#urlsIn(value['PER-VARIANT-URIS']),
      ...this.#urlsIn(value['PER-RENDITION-URIS']),
    ]);
    const isHost = typeof host === 'string' && host !== '';
    return { ...(isHost ? { host } : {}), params: textsIn(value['PARAMS']), urls };
  }

  *#urlsIn(value: unknown): Generator<[string, string]> {
    for (const [name, written] of textsIn(value)) {
      const url = resolveReference(written, this.#options.baseUrl);
      if (url !== undefined) yield [name, url];
    }
  }
}

function over(base: UriReplacement | undefined, own: UriReplacement): UriReplacement {
  if (!base) return own;
  const params = new Map([...base.params, ...own.params]);
  const host = own.host ?? base.host;
  const urls = own.host === undefined ? new Map([...base.urls, ...own.urls]) : own.urls;
  return { ...(host === undefined ? {} : { host }), params, urls };
}

const textsIn = (value: unknown): Map<string, string> =>
  new Map(
    Object.entries(isObject(value) ? value : {}).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text] as const] : [],
    ),
  );
