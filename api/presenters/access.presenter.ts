import type { MadeKey, MintedLink, StreamKey } from '#access';
import type { StreamId } from '#kernel/ids';
import { isoTime } from './iso-time.ts';

const isoOrNull = (ms: number | undefined): string | null =>
  ms === undefined ? null : isoTime(ms);

/** The answer to `POST /streams/{stream_id}/links`. */
export const presentLink = (id: StreamId, { startByMs, stopAtMs, query }: MintedLink) => ({
  stream_id: id,
  start_by: isoOrNull(startByMs),
  stop_at: isoOrNull(stopAtMs),
  query,
  stream_url: `/stream/${id}?${query}`,
  playlist_url: `/hls/${id}/playlist.m3u8?${query}`,
});

/** A stream key as lists show it. */
export const presentKey = ({ id, name, createdAtMs }: StreamKey) => ({
  id,
  name,
  created_at: createdAtMs === 0 ? null : isoTime(createdAtMs),
});

/** A new one: the only answer that has the key itself. */
export const presentMadeKey = ({ record, key }: MadeKey) => ({ ...presentKey(record), key });
