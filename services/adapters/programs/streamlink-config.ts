import { cookiesFor } from '#resolve';
import type { ResolveOrder } from '#resolve';
import type { ProxyWay } from './proxy-way.ts';

export type StreamlinkOrder = {
  readonly order: ResolveOrder;
  /** The text of its cookies file, if there is one. */
  readonly cookies: string | null;
  readonly way: ProxyWay;
  readonly verifyTls: boolean;
};

/**
 * The text of a configuration for Streamlink: an option a line, its value as it stands. All goes in
 * by it, since other users of the machine could read arguments.
 * @throws RangeError where a value has a line break, and would be more than one.
 */
export function streamlinkConfig({ order, cookies, way, verifyTls }: StreamlinkOrder): string {
  const { url, headers, plan } = order;
  const lines = [
    `url=${url}`,
    `default-stream=${plan.selector}`,
    'stdout',
    // It then tells whether what it plays has an end.
    'loglevel=debug',
    'ffmpeg-fout=mpegts',
    ...Object.entries(headers).map(([name, value]) => `http-header=${name}=${value}`),
    ...(cookies === null ? [] : cookiesFor(cookies, url)).map(
      ({ name, value }) => `http-cookie=${name}=${value}`,
    ),
    ...(way.proxy === null ? [] : [`http-proxy=${way.proxy}`]),
    ...(way.localAddress === null ? [] : [`interface=${way.localAddress}`]),
    ...(verifyTls ? [] : ['http-no-ssl-verify']),
    ...plan.options,
  ];
  if (lines.some((line) => /\p{Cc}/u.test(line))) throw new RangeError('A line break in a value.');
  return `${lines.join('\n')}\n`;
}
