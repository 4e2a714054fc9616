import type { StreamId } from '#kernel/ids';
import type { RunSnapshot } from '#runs';
import type {
  CreateOutcome,
  FailoverOutcome,
  MediaKind,
  StreamSnapshot,
  SwitchSnapshot,
} from '#streams';
import { presentEgress } from './egress.presenter.ts';
import { isoTime } from './iso-time.ts';
import { presentMedia, presentRunMedia } from './media.presenter.ts';

const KIND_WORDS = {
  hls: 'HLS',
  vod: 'VOD',
  live: 'Live Continuous',
  dash: 'DASH',
} as const satisfies Record<MediaKind, string>;

/** The kind of a stream in the words of lists. */
export const streamTypeOf = (stream: StreamSnapshot): string =>
  isTranscode(stream) ? 'Transcoding' : KIND_WORDS[stream.kind];

const isTranscode = ({ definition }: StreamSnapshot): boolean =>
  Boolean(definition.metadata['transcoding']);

function pathOf(kind: MediaKind, id: string): string {
  if (kind === 'dash') return `/dash/${id}/manifest.mpd`;
  return kind === 'hls' ? `/hls/${id}/playlist.m3u8` : `/stream/${id}`;
}

/** What is no playlist and no manifest is asked for as it is. */
const typeWordOf = (kind: MediaKind): 'hls' | 'dash' | 'direct' =>
  kind === 'hls' || kind === 'dash' ? kind : 'direct';

/** The runs of a transcoded stream, the oldest first. */
export type RunsOf = (id: StreamId) => readonly RunSnapshot[];

const mediaOf = ({ definition, media }: StreamSnapshot, runsOf: RunsOf) =>
  definition.transcode === undefined
    ? { media_info: presentMedia(media), output_media_info: {} }
    : presentRunMedia(runsOf(definition.id), media);

/** A stream as lists show it. Its URLs and headers may hold credentials: for management only. */
export const presentStream = (stream: StreamSnapshot, runsOf: RunsOf) => ({
  stream_id: stream.definition.id,
  original_url: stream.definition.url,
  current_url: stream.currentUrl,
  user_agent: stream.userAgent,
  client_count: stream.viewerCount,
  total_bytes_served: stream.bytesServed,
  total_segments_served: stream.segmentsServed,
  error_count: stream.errorCount,
  is_active: stream.viewerCount > 0,
  slate: stream.slate,
  has_failover: hasFailover(stream),
  failover_urls: stream.definition.failoverUrls,
  failover_resolver_url: stream.definition.failoverResolverUrl,
  current_failover_index: stream.failoverIndex,
  failover_attempts: stream.failoverAttempts,
  last_failover_time: stream.lastFailoverAtMs === null ? null : isoTime(stream.lastFailoverAtMs),
  stream_type: streamTypeOf(stream),
  created_at: isoTime(stream.definition.createdAtMs),
  last_access: isoTime(stream.lastAccessMs),
  metadata: stream.definition.metadata,
  headers: stream.definition.headers,
  ...mediaOf(stream, runsOf),
  sharing: stream.definition.sharing,
  egress: presentEgress(stream.definition.egress),
  max_connections: stream.definition.maxConnections ?? null,
});

/** One switch of source, for whoever asks about one stream. */
export const presentSwitch = (change: SwitchSnapshot) => ({
  at: isoTime(change.atMs),
  from_index: change.fromIndex,
  to_index: change.toIndex,
  reason: change.reason,
  cause: change.cause,
  failed_tries: change.failedTries,
  gap_ms: change.gapMs,
  detection_ms: change.detectionMs,
  connect_ms: change.connectMs,
});

const hasFailover = ({ definition }: StreamSnapshot): boolean =>
  definition.failoverUrls.length > 0 || definition.failoverResolverUrl !== null;

/** The answer to `POST /streams`. */
export function presentCreated(outcome: CreateOutcome, ignoredHeaders: readonly string[]) {
  const { definition, kind, userAgent } = outcome.snapshot;
  const path = pathOf(kind, definition.id);
  const isUpdate = outcome.outcome === 'updated';
  return {
    stream_id: definition.id,
    primary_url: definition.url,
    failover_urls: definition.failoverUrls,
    user_agent: userAgent,
    stream_type: typeWordOf(kind),
    stream_endpoint: path,
    playlist_url: path,
    direct_url: path,
    message: isUpdate ? 'Stream updated' : 'Stream created',
    ...(Object.keys(definition.metadata).length === 0 ? {} : { metadata: definition.metadata }),
    updated: isUpdate,
    applied_later: outcome.deferred,
    ignored_headers: ignoredHeaders,
  };
}

/** The answer to `POST /streams/{stream_id}/failover`. */
export const presentFailover = (outcome: FailoverOutcome) => ({
  message: 'Failover done',
  new_url: outcome.newUrl,
  failover_index: outcome.failoverIndex,
  failover_attempts: outcome.failoverAttempts,
  active_clients: outcome.viewerCount,
  stream_type: KIND_WORDS[outcome.kind],
});
