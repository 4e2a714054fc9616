import type { HlsStats, SegmentCounts } from '#delivery';

/** What HLS delivery did for one stream; `null` where nobody has asked for it of late. */
export const presentHls = (stats: HlsStats | undefined) =>
  stats === undefined
    ? null
    : {
        health: stats.health,
        playlists: {
          requests: stats.playlists.requests,
          cache_hits: stats.playlists.cacheHits,
          polls: stats.playlists.polls,
          stale: stats.playlists.stale,
        },
        segments: presentSegments(stats.stream),
      };

/** How segments were answered, for a stream or for one of its viewers. */
export const presentSegments = (counts: SegmentCounts) => ({
  requests: counts.requests,
  bytes: counts.bytes,
  cache_hits: counts.cacheHits,
  ahead_hits: counts.aheadHits,
  coalesced: counts.coalesced,
  fetched: counts.fetched,
});
