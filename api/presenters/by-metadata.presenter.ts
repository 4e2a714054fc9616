import type { StreamSnapshot } from '#streams';
import type { Cleared, OldestCleared } from '#api/selection/clearing';
import type { Listing } from '#api/schemas/filter.schema';
import { isoTime } from './iso-time.ts';
import { streamTypeOf } from './stream.presenter.ts';

export const presentListing = (
  { field, value, activeOnly }: Listing,
  matches: readonly StreamSnapshot[],
) => ({
  filter: { field, value },
  active_only: activeOnly,
  matching_streams: matches.map(presentMatch),
  total_matching: matches.length,
  total_clients: matches.reduce((sum, { viewerCount }) => sum + viewerCount, 0),
});

const presentMatch = (stream: StreamSnapshot) => ({
  stream_id: stream.definition.id,
  client_count: stream.viewerCount,
  metadata: stream.definition.metadata,
  last_access: isoTime(stream.lastAccessMs),
  is_active: stream.viewerCount > 0,
  url: stream.currentUrl,
  stream_type: streamTypeOf(stream),
});

export const presentCleared = ({ removed, skipped }: Cleared) => ({
  message: `${removed.length} streams deleted, ${skipped.length} skipped`,
  deleted_streams: removed,
  skipped_streams: skipped.map(({ id, reason, viewerCount }) => ({
    stream_id: id,
    reason,
    ...(viewerCount === undefined ? {} : { active_clients: viewerCount }),
  })),
  deleted_count: removed.length,
});

export const presentOldestCleared = (cleared: OldestCleared | undefined) =>
  cleared === undefined
    ? { message: 'No stream matches', deleted_stream: null, deleted_count: 0 }
    : {
        message: 'Oldest stream deleted',
        deleted_stream: cleared.id,
        stream_age_seconds: cleared.ageMs / 1000,
        deleted_count: 1,
      };
