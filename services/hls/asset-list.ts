import { isObject, objectsIn, parseJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';
import { resolveReference } from './resolve-reference.ts';
import type { ResourceKind } from './uri-tags.ts';

export type DocumentOptions = {
  /** Where the document came from, after redirects. */
  readonly baseUrl: string;
  /** The URL to write in place of an absolute upstream one. */
  readonly toLocal: (reference: { readonly kind: ResourceKind; readonly url: string }) => string;
};

/** Attributes of date ranges, wherever a document lists some. */
const KIND_OF: Readonly<Record<string, ResourceKind>> = {
  'X-ASSET-URI': 'playlist',
  'X-ASSET-LIST': 'asset-list',
  'X-URI': 'asset-list',
};

/** Deeper than any list goes; deeper levels stay as they are. */
const MAX_DEPTH = 8;

/**
 * Rewrites the JSON document of an `X-ASSET-LIST` (RFC 8216bis, appendix D.5) so that players fetch
 * the interstitials through this service: `URI` of every member of `ASSETS`, and the attributes of
 * date ranges that schedules list. All other members stay; URIs of other schemes too.
 *
 * @param text - As it came, at most 1 MiB.
 * @throws {@link MediaError} `UPSTREAM_WRONG_TYPE` when it is no JSON object.
 */
export function rewriteAssetList(text: string, options: DocumentOptions): string {
  const list = parseJsonObject(text);
  for (const asset of objectsIn(list['ASSETS'])) replace(asset, { name: 'URI', options });
  walk(list, { options, depth: 0 });
  return JSON.stringify(list);
}

function walk(value: unknown, at: { options: DocumentOptions; depth: number }): void {
  const { options, depth } = at;
  if (depth > MAX_DEPTH) return;
  if (isObject(value)) {
    for (const name of Object.keys(KIND_OF)) replace(value, { name, options });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const member of Object.values(value)) walk(member, { options, depth: depth + 1 });
}

function replace(
  object: JsonObject,
  { name, options }: { name: string; options: DocumentOptions },
): void {
  const written = object[name];
  if (typeof written !== 'string') return;
  const url = resolveReference(written, options.baseUrl);
  if (url !== undefined) object[name] = options.toLocal({ kind: KIND_OF[name] ?? 'playlist', url });
}
