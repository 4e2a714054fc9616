import type { ViewerSnapshot } from '#streams';
import { isoTime } from './iso-time.ts';

/** A viewer as lists show it; only those who watch now are listed. */
export const presentViewer = (viewer: ViewerSnapshot) => ({
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

export const presentViewers = (viewers: readonly ViewerSnapshot[]) => ({
  total_clients: viewers.length,
  clients: viewers.map(presentViewer),
});
