/** What kind of request a route's requests are; few, so that metrics stay few. */
export type RouteClass =
  'stream' | 'playlist' | 'segment' | 'management' | 'metrics' | 'health' | 'docs' | 'unknown';

const BY_PATH: Readonly<Record<string, RouteClass>> = {
  '/hls/:stream_id/playlist.m3u8': 'playlist',
  '/dash/:stream_id/manifest.mpd': 'playlist',
  '/healthz': 'health',
  '/metrics': 'metrics',
  '/openapi.json': 'docs',
  '/redoc': 'docs',
  '/favicon.ico': 'docs',
};

/** @param path - The pattern of the route, absent where no route took the request. */
export function routeClassOf(path: string | undefined): RouteClass {
  if (path === undefined) return 'unknown';
  const known = BY_PATH[path];
  if (known !== undefined) return known;
  if (path.startsWith('/stream/')) return 'stream';
  if (/^\/(?:hls|dash)\//.test(path)) return 'segment';
  if (/^\/broadcast\/.+\.m3u8$/.test(path)) return 'playlist';
  if (/^\/broadcast\/.*(?:\.\w+|:file)$/.test(path)) return 'segment';
  return path.startsWith('/docs') ? 'docs' : 'management';
}
