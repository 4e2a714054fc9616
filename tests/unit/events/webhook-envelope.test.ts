import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, toEnvelope } from '#events';
import { AT_MS, FACTS, STREAM, VIEWER, anEvent } from '../../support/events.ts';

const METADATA = { playlist_uuid: 'p-1', type: 'channel', id: '42', provider_profile_id: '7' };

/** What receivers of m3u-proxy find under `data`, per type. */
const DATA = {
  stream_started: {
    primary_url: 'http://a.example/1.ts',
    failover_urls: ['http://b.example/1.ts'],
    user_agent: 'VLC/3.0.20',
    stream_type: 'direct',
  },
  stream_stopped: { reason: 'last_client_disconnected', client_id: VIEWER, bytes_served: 1880 },
  stream_failed: {
    client_id: VIEWER,
    error: 'The provider did not answer in time.',
    error_type: 'ReadTimeout',
    reason: 'no_failover_available',
    retry_count: 3,
    no_failover: true,
  },
  client_connected: {
    client_id: VIEWER,
    user_agent: 'VLC/3.0.20',
    ip_address: '192.0.2.7',
    username: 'anna',
    stream_client_count: 2,
  },
  client_disconnected: {
    client_id: VIEWER,
    connection_id: 'b6f5c1c2-0f5e-4d39-8f0b-5a3c7a9e2d10',
    bytes_served: 1880,
    segments_served: 4,
    reason: 'client_disconnected',
  },
  failover_triggered: {
    old_url: 'http://a.example/1.ts',
    new_url: 'http://b.example/1.ts',
    failover_index: 0,
    attempt_number: 1,
    reason: 'stream_error_ReadTimeout_after_retries',
    cause: 'stalled',
    client_count: 2,
    gap_ms: 40,
    failed_tries: 0,
  },
  slate_started: { trigger: 'channel_unavailable', client_count: 2 },
  slate_ended: { trigger: 'channel_unavailable', client_count: 2, duration_ms: 4200 },
  transcode_fallback: {
    profile: 'default',
    from: 'nvenc',
    to: 'software',
    reason: 'gpu_sessions_busy',
    client_count: 2,
  },
};

describe('the webhook envelope', () => {
  it('names the event, its type, its stream and the time in UTC without an offset', () => {
    const event = anEvent();
    expect(toEnvelope(event)).toMatchObject({
      event_id: event.eventId,
      event_type: 'stream_started',
      stream_id: STREAM,
      timestamp: '2026-11-20T09:08:07.065000',
    });
    expect(Object.keys(toEnvelope(event))).toEqual([
      'event_id',
      'event_type',
      'stream_id',
      'timestamp',
      'data',
    ]);
  });

  it.each(EVENT_TYPES)('has the keys of %s, and its metadata in full', (type) => {
    const { data } = toEnvelope(anEvent({ fact: FACTS[type] }));
    expect(data).toEqual({ ...DATA[type], metadata: {} });
  });

  it.each(EVENT_TYPES)('lifts playlist_uuid, type and id to the top of %s', (type) => {
    const { data } = toEnvelope(anEvent({ fact: FACTS[type], metadata: METADATA }));
    const { playlist_uuid, type: kind, id } = METADATA;
    expect(data).toEqual({ ...DATA[type], playlist_uuid, type: kind, id, metadata: METADATA });
  });

  it("never lets metadata hide the event's own keys", () => {
    const metadata = { reason: 'mine', client_id: 'mine', id: '1' };
    const { data } = toEnvelope(anEvent({ fact: FACTS.stream_stopped, metadata }));
    expect(data).toMatchObject({ reason: 'last_client_disconnected', client_id: VIEWER, id: '1' });
  });

  it.each([
    [{ reason: 'manual_deletion' as const }, { was_transcoded: false }],
    [
      {
        reason: 'metadata_filter_deletion' as const,
        filter: { field: 'playlist_uuid', value: 'p-1' },
      },
      { filter_field: 'playlist_uuid', filter_value: 'p-1', was_transcoded: false },
    ],
    [
      {
        reason: 'oldest_stream_deletion' as const,
        filter: { field: 'id', value: '1' },
        streamAgeSeconds: 90,
      },
      { filter_field: 'id', filter_value: '1', stream_age_seconds: 90, was_transcoded: false },
    ],
    [{ reason: 'inactive_timeout' as const }, {}],
    [{ reason: 'node_lost' as const }, {}],
  ])('tells of a stop by %o', (stop, data) => {
    const fact = { type: 'stream_stopped' as const, bytesServed: 0, ...stop };
    expect(toEnvelope(anEvent({ fact })).data).toEqual({
      reason: stop.reason,
      bytes_served: 0,
      ...data,
      metadata: {},
    });
  });

  it('says null for a gap that is not known', () => {
    const fact = { ...FACTS.failover_triggered, gapMs: null };
    expect(toEnvelope(anEvent({ fact })).data).toMatchObject({ gap_ms: null });
  });

  it('is the same each time it is made', () => {
    const event = anEvent({ atMs: AT_MS, metadata: METADATA });
    expect(JSON.stringify(toEnvelope(event))).toBe(JSON.stringify(toEnvelope(event)));
  });
});
