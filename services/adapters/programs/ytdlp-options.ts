import type { ResolveOrder } from '#resolve';
import type { ProxyWay } from './proxy-way.ts';

export type YtdlpOrder = {
  readonly order: ResolveOrder;
  /** A copy: yt-dlp writes to it. */
  readonly cookiesPath: string | null;
  readonly way: ProxyWay;
  readonly verifyTls: boolean;
};

/** What a transport stream has a place for comes first; then what yt-dlp holds to be best. */
const PACKABLE = 'vcodec:h264,acodec:aac';

/** Options that have yt-dlp find out what a page plays, and play nothing. */
export function ytdlpOptions({
  order,
  cookiesPath,
  way,
  verifyTls,
}: YtdlpOrder): readonly string[] {
  const { url, headers, plan } = order;
  const has = (name: string): boolean => plan.options.some((option) => option.startsWith(name));
  return [
    '--dump-json',
    '--no-download',
    '--no-warnings',
    '--no-cache-dir',
    ...(has('playlist-items') ? [] : ['--playlist-items=1']),
    ...(has('format-sort=') ? [] : [`--format-sort=${PACKABLE}`]),
    ...(has('socket-timeout') ? [] : ['--socket-timeout=15']),
    `--format=${plan.selector}`,
    ...plan.options.map((option) => `--${option}`),
    ...Object.entries(headers).map(([name, value]) => `--add-headers=${name}:${value}`),
    ...(cookiesPath === null ? [] : [`--cookies=${cookiesPath}`]),
    ...wayOptions(way),
    ...(verifyTls ? [] : ['--no-check-certificates']),
    // It begins with its scheme. A `--` would make URLs of what stands behind the configuration.
    url,
  ];
}

/** An empty proxy is none, whatever the environment says. */
export const wayOptions = ({ proxy, localAddress }: ProxyWay): readonly string[] => [
  `--proxy=${proxy ?? ''}`,
  ...(localAddress === null ? [] : [`--source-address=${localAddress}`]),
];
