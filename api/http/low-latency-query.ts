import type { Request } from 'express';

/** Numbers, `YES` and `v2`: all that RFC 8216bis §6.2.5 has as values. */
const VALUE = /^[\w.-]{1,64}$/;
const NAME = /^_HLS_[a-z_]{1,32}$/;

/**
 * What a low-latency player adds to a playlist's URL (`_HLS_msn`, `_HLS_part`, `_HLS_skip`),
 * sorted as the specification asks; empty for all other players.
 */
export function lowLatencyQuery(req: Request): string {
  if (!req.url.includes('_HLS_')) return '';
  return Object.entries(req.query)
    .flatMap(([name, value]) =>
      typeof value === 'string' && NAME.test(name) && VALUE.test(value) ? [`${name}=${value}`] : [],
    )
    .toSorted()
    .join('&');
}

/** Anything that a player may say of itself: identifiers, offsets, throughput. */
const MAX_WORD_CHARS = 256;

/**
 * What a player adds to the URL of a JSON document (`_HLS_pathway`, `_HLS_throughput`,
 * `_HLS_primary_id`, `_HLS_start_offset`), encoded anew and sorted; empty for all other players.
 */
export function documentQuery(req: Request): string {
  return Object.entries(req.query)
    .flatMap(([name, value]) =>
      typeof value === 'string' && NAME.test(name) && value.length <= MAX_WORD_CHARS
        ? [`${name}=${encodeURIComponent(value)}`]
        : [],
    )
    .toSorted()
    .join('&');
}
