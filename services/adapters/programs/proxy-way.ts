import type { Egress } from '#upstream';

/** A way out as the programs know it. */
export type ProxyWay = { readonly proxy: string | null; readonly localAddress: string | null };

/**
 * The way out in a program's terms; undefined for one that it cannot take. Names are then looked up
 * by the proxy where the egress says so.
 */
export function proxyWayOf(egress: Egress | null): ProxyWay | undefined {
  const localAddress = egress?.localAddress ?? null;
  if (egress === null || egress.kind === 'direct') return { proxy: null, localAddress };
  if (egress.kind === 'template') return undefined;
  const scheme = egress.resolve === 'proxy' ? 'socks5h:' : 'socks5:';
  const proxy = egress.kind === 'socks5' ? egress.url.replace(/^socks5h?:/i, scheme) : egress.url;
  return { proxy, localAddress };
}
