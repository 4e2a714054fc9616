import type { Target } from './segment-handle.ts';

/** How a cloned pathway's URLs are made of those of the pathway it clones (`URI-REPLACEMENT`). */
export type UriReplacement = {
  readonly host?: string;
  readonly params: ReadonlyMap<string, string>;
  /** Whole URLs by stable identifier: variants and renditions in one, whose names differ. */
  readonly urls: ReadonlyMap<string, string>;
};

/** Stands for "as it is" where no host is given: the name can belong to nobody (RFC 2606). */
const SAME_HOST = 'same.invalid';

/** Written into handles, and with a playlist's own handle into one request line. */
const MAX_CHARS = 4096;

/** What a handle has to say of a clone; `undefined` when it is too much for one. */
export function pathwayTarget(replacement: UriReplacement, source: string): Target | undefined {
  const { host = SAME_HOST, params, urls } = replacement;
  const url = URL.parse(`https://${host}/?${new URLSearchParams([...params]).toString()}`);
  const size = [...urls].join().length + (url?.href.length ?? 0);
  if (url === null || size > MAX_CHARS) return undefined;
  return { kind: 'pathway', url: url.href, source, variables: urls };
}

/** The playlist that a target leads to, by way of a cloned pathway. */
export function viaPathway(target: Target, pathway: Target): Target {
  const own = pathway.variables?.get(target.track?.stableId ?? '');
  const url = URL.parse(own ?? target.url);
  const { host, searchParams } = new URL(pathway.url);
  if (url === null) return target;
  if (own === undefined && host !== SAME_HOST) url.host = host;
  for (const [name, value] of searchParams) url.searchParams.set(name, value);
  return { ...target, url: url.href };
}
