/**
 * A time as clients of m3u-proxy know it: microseconds and an offset,
 * `2026-11-20T17:06:51.835000+00:00`.
 */
export const isoTime = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, -1)}000+00:00`;
