import type { HlsStats } from '#delivery';
import type { StreamId } from '#kernel/ids';
import type { ViewerSnapshot } from '#streams';
import { presentSegments } from './hls.presenter.ts';
import { isoTime } from './iso-time.ts';

/** A viewer as lists show it; only those who watch now are listed. */
const presentViewer = (viewer: ViewerSnapshot) => ({
  client_id: viewer.clientId,
  stream_id: viewer.streamId,
  user_agent: viewer.userAgent,
  ip_address: viewer.ipAddress,
  username: viewer.username,
  bytes_served: viewer.bytesServed,
  segments_served: viewer.segmentsServed,
  created_at: isoTime(viewer.createdAtMs),
  last_access: isoTime(viewer.lastAccessMs),
  is_connected: true,
});

/** Finds what was counted for a stream. */
export type StatsOf = (streamId: StreamId) => HlsStats | undefined;

/** A viewer with how its segments were answered; `null` for those who watch no HLS. */
export const presentWatching = (viewer: ViewerSnapshot, statsOf: StatsOf) => {
  const stats = statsOf(viewer.streamId);
  return {
    ...presentViewer(viewer),
    hls: stats ? presentSegments(stats.viewer(viewer.clientId)) : null,
  };
};

export const presentViewers = (viewers: readonly ViewerSnapshot[], statsOf: StatsOf) => ({
  total_clients: viewers.length,
  clients: viewers.map((viewer) => presentWatching(viewer, statsOf)),
});
