import type { DomainEvent, Fact } from './domain-events.ts';

/** The body of a delivery, as m3u-proxy's receivers know it. */
export type WebhookEnvelope = {
  readonly event_id: string;
  readonly event_type: string;
  readonly stream_id: string;
  /** UTC, without an offset: `YYYY-MM-DDTHH:MM:SS.ffffff`. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** Metadata that m3u-editor looks for directly under `data`. */
const LIFTED = ['playlist_uuid', 'type', 'id'] as const;

/**
 * An event in the words of the wire: m3u-proxy's keys, plus `metadata` in full, plus the
 * metadata's `playlist_uuid`, `type` and `id` at the top of `data`, where they hide no key of the
 * event itself. The same event always gives the same envelope.
 */
export function toEnvelope({
  eventId,
  streamId,
  atMs,
  metadata,
  fact,
}: DomainEvent): WebhookEnvelope {
  const lifted = LIFTED.filter((key) => metadata[key] !== undefined);
  return {
    event_id: eventId,
    event_type: fact.type,
    stream_id: streamId,
    timestamp: toTimestamp(atMs),
    data: {
      ...Object.fromEntries(lifted.map((key) => [key, metadata[key]])),
      ...dataOf(fact),
      metadata,
    },
  };
}

/**
 * Epoch milliseconds as receivers know them: `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC without an offset.
 */
export const toTimestamp = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, -1)}000`;

type Data = Readonly<Record<string, unknown>>;
type FactOf<Type extends Fact['type']> = Extract<Fact, { type: Type }>;

const DATA: { readonly [Type in Fact['type']]: (fact: FactOf<Type>) => Data } = {
  stream_started: (fact) => ({
    primary_url: fact.primaryUrl,
    failover_urls: fact.failoverUrls,
    user_agent: fact.userAgent,
    stream_type: fact.streamType,
  }),
  stream_stopped: (fact) => ({
    reason: fact.reason,
    ...given('client_id', fact.clientId),
    bytes_served: fact.bytesServed,
    ...given('filter_field', fact.filter?.field),
    ...given('filter_value', fact.filter?.value),
    ...given('stream_age_seconds', fact.streamAgeSeconds),
    // Receivers know it of deletions only.
    ...given('was_transcoded', DELETIONS.includes(fact.reason) ? false : undefined),
  }),
  stream_failed: (fact) => ({
    ...given('client_id', fact.clientId),
    error: fact.error,
    error_type: fact.errorType,
    reason: fact.reason,
    retry_count: fact.retryCount,
    no_failover: fact.reason === 'no_failover_available',
  }),
  client_connected: (fact) => ({
    client_id: fact.clientId,
    user_agent: fact.userAgent,
    ip_address: fact.ipAddress,
    username: fact.username,
    stream_client_count: fact.streamClientCount,
  }),
  client_disconnected: (fact) => ({
    client_id: fact.clientId,
    connection_id: fact.connectionId,
    bytes_served: fact.bytesServed,
    segments_served: fact.segmentsServed,
    reason: fact.reason,
  }),
  failover_triggered: (fact) => ({
    old_url: fact.oldUrl,
    new_url: fact.newUrl,
    failover_index: fact.failoverIndex,
    attempt_number: fact.attemptNumber,
    reason: fact.reason,
    cause: fact.cause,
    client_count: fact.clientCount,
    gap_ms: fact.gapMs,
    failed_tries: fact.failedTries,
  }),
  slate_started: (fact) => ({
    trigger: fact.trigger,
    client_count: fact.clientCount,
  }),
  slate_ended: (fact) => ({
    trigger: fact.trigger,
    client_count: fact.clientCount,
    duration_ms: Math.round(fact.durationMs),
  }),
  transcode_fallback: (fact) => ({
    profile: fact.profile,
    from: fact.from,
    to: fact.to,
    reason: fact.reason,
    client_count: fact.clientCount,
  }),
};

/** TypeScript does not see that the table's row fits the fact. */
const dataOf = (fact: Fact): Data => (DATA[fact.type] as (fact: Fact) => Data)(fact);

const DELETIONS: readonly string[] = [
  'manual_deletion',
  'metadata_filter_deletion',
  'oldest_stream_deletion',
];

function given(key: string, value: unknown): Data {
  return value === undefined ? {} : { [key]: value };
}
