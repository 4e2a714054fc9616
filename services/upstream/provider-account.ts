import type { ProviderLimit } from './source-headers.ts';

/**
 * The account of a provider that a source's URL belongs to: its host, and the user name where the
 * URL has one in a place that is usual. URLs of one account give one text; it is a secret.
 */
export function accountOf(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed) return '';
  const user = parsed.username || parsed.searchParams.get('username') || userInPath(parsed);
  return `${parsed.host} ${user}`;
}

/** `/live/USER/PASSWORD/7.ts` and `/USER/PASSWORD/7`: the forms of Xtream panels. */
function userInPath({ pathname }: URL): string {
  const [, named, bare] = XTREAM.exec(pathname) ?? [];
  return named ?? bare ?? '';
}

const XTREAM =
  /^\/(?:(?:live|movie|series|timeshift|hls|play)\/([^/]+)\/[^/]+\/|([^/]+)\/[^/]+\/\d+(?:\.\w+)?$)/;

/** Host and port as limits name them; the port only where it is not the scheme's own. */
export const hostOf = (url: string): string => URL.parse(url)?.host ?? '';

/** What the operator says of the host of a URL. */
export function hostLimitOf(
  url: string,
  hostLimits: ReadonlyMap<string, number>,
): ProviderLimit | undefined {
  const maxOpen = hostLimits.get(hostOf(url));
  return maxOpen === undefined ? undefined : { account: accountOf(url), maxOpen };
}

/**
 * Limits by host, written `panel.example=1,cdn.example:8080=4`.
 * @returns nothing for what is not written so.
 */
export function hostLimitsFrom(text: string): ReadonlyMap<string, number> | undefined {
  const limits = new Map<string, number>();
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [, host = '', count = ''] = /^([^\s=/@]+)=(\d{1,4})$/.exec(part) ?? [];
    const known = hostOf(`http://${host}`);
    if (known === '' || Number(count) < 1) return undefined;
    limits.set(known, Number(count));
  }
  return limits;
}
