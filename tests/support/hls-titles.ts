import { randomBytes } from 'node:crypto';
import { answer, text } from '../../scripts/faultd.d/fake-provider.ts';
import type { Route } from '../../scripts/faultd.d/fake-provider.ts';

const TYPE = 'application/vnd.apple.mpegurl';

/** A playlist of `count` segments, each with bytes of its own. */
export function title(
  count: number,
  { sizeBytes = 10_000, isEnded = true, first = 0, folder = '/v' } = {},
): { readonly routes: Record<string, Route>; readonly bodies: readonly Buffer[] } {
  const bodies = Array.from({ length: count }, () => randomBytes(sizeBytes));
  const lines = bodies.map((_body, n) => `#EXTINF:1,\n${n + first}.ts\n`).join('');
  const head = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${first}\n`;
  const list = `${head}${lines}${isEnded ? '#EXT-X-ENDLIST\n' : ''}`;
  const routes: Record<string, Route> = { [`${folder}/index.m3u8`]: text(list, TYPE) };
  for (const [n, body] of bodies.entries()) {
    routes[`${folder}/${n + first}.ts`] = text(body, 'video/mp2t');
  }
  return { routes, bodies };
}

/** Serves byte ranges of one file, and nothing but ranges is counted against it. */
export const singleFile = (body: Buffer, contentType: string): Route =>
  answer(({ headers: asked }) => {
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(asked.range ?? '') ?? [];
    const part = body.subarray(Number(first), last === '' ? body.length : Number(last) + 1);
    const headers = { 'content-type': contentType, 'content-length': String(part.length) };
    if (asked.range === undefined) return { headers, body: part };
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${body.length}`;
    return { status: 206, headers: { ...headers, 'content-range': range }, body: part };
  });

export { TYPE as PLAYLIST_TYPE };
