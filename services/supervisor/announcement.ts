import type { ReadyFacts } from './launched.ts';

export type Announced = {
  readonly dataDir: string;
  readonly pid: number;
  /** `undefined` when no api runs here. */
  readonly api: ReadyFacts | undefined;
};

/** The one line that a person waits for. */
export function announcement({ dataDir, pid, api }: Announced): string {
  const url = api && addressOf(api);
  const where = url === undefined ? '' : ` at ${url}, docs at ${url}/docs`;
  return `Penstock is ready${where}, data in ${dataDir}, pid ${pid}. Ctrl-C stops it.`;
}

function addressOf({ host, port }: ReadyFacts): string | undefined {
  if (typeof port !== 'number') return undefined;
  return `http://${typeof host === 'string' ? reachable(host) : '127.0.0.1'}:${port}`;
}

/** An address to click on: the wildcard addresses are none. */
function reachable(host: string): string {
  if (['0.0.0.0', '::', ''].includes(host)) return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
