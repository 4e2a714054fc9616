import type { DomainEvent, Fact } from '#events';
import { asClientId, asStreamId, newEventId, newSessionId } from '#kernel/ids';
import type { NodeEpoch, SessionId, StreamId } from '#kernel/ids';
import type { StateChange, StreamDefinition } from '#streams';
import type { Endpoint } from '#webhooks';
import { endpointIdOf } from '#kernel/ids';
import { streamInput } from './stream-bench.ts';

export const STREAM = asStreamId('0123456789abcdef0123456789abcdef');
export const VIEWER = asClientId('client_0123456789abcdef');
export const AT_MS = Date.UTC(2026, 10, 20, 9, 8, 7, 65);

/** One fact of each type, all fields set. */
export const FACTS = {
  stream_started: {
    type: 'stream_started',
    primaryUrl: 'http://a.example/1.ts',
    failoverUrls: ['http://b.example/1.ts'],
    userAgent: 'VLC/3.0.20',
    streamType: 'direct',
  },
  stream_stopped: {
    type: 'stream_stopped',
    reason: 'last_client_disconnected',
    clientId: VIEWER,
    bytesServed: 1880,
  },
  stream_failed: {
    type: 'stream_failed',
    error: 'The provider did not answer in time.',
    errorType: 'ReadTimeout',
    reason: 'no_failover_available',
    retryCount: 3,
    clientId: VIEWER,
  },
  client_connected: {
    type: 'client_connected',
    clientId: VIEWER,
    userAgent: 'VLC/3.0.20',
    ipAddress: '192.0.2.7',
    username: 'anna',
    streamClientCount: 2,
  },
  client_disconnected: {
    type: 'client_disconnected',
    clientId: VIEWER,
    connectionId: 'b6f5c1c2-0f5e-4d39-8f0b-5a3c7a9e2d10',
    bytesServed: 1880,
    segmentsServed: 4,
    reason: 'client_disconnected',
  },
  failover_triggered: {
    type: 'failover_triggered',
    oldUrl: 'http://a.example/1.ts',
    newUrl: 'http://b.example/1.ts',
    failoverIndex: 0,
    attemptNumber: 1,
    reason: 'stream_error_ReadTimeout_after_retries',
    cause: 'stalled',
    clientCount: 2,
    gapMs: 40,
    failedTries: 0,
  },
  slate_started: {
    type: 'slate_started',
    trigger: 'channel_unavailable',
    clientCount: 2,
  },
  slate_ended: {
    type: 'slate_ended',
    trigger: 'channel_unavailable',
    clientCount: 2,
    durationMs: 4200.4,
  },
  transcode_fallback: {
    type: 'transcode_fallback',
    profile: 'default',
    from: 'nvenc',
    to: 'software',
    reason: 'gpu_sessions_busy',
    clientCount: 2,
  },
} as const satisfies { readonly [Type in Fact['type']]: Extract<Fact, { type: Type }> };

export const anEvent = (changes: Partial<DomainEvent> = {}): DomainEvent => ({
  eventId: newEventId(),
  streamId: STREAM,
  atMs: AT_MS,
  metadata: {},
  fact: FACTS.stream_started,
  ...changes,
});

export const aDefinition = (changes: Partial<StreamDefinition> = {}): StreamDefinition => ({
  v: 1,
  id: STREAM,
  ...streamInput('http://a.example/1.ts'),
  createdAtMs: AT_MS,
  ...changes,
});

export function anEndpoint(url: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    v: 1,
    id: endpointIdOf(url),
    url,
    events: ['stream_started', 'stream_stopped', 'client_connected', 'client_disconnected'],
    headers: {},
    timeoutSeconds: 5,
    retryAttempts: 3,
    secret: null,
    createdAtMs: AT_MS,
    ...changes,
  };
}

type Left = Extract<Fact, { type: 'client_disconnected' }>;
type Moved = Extract<Fact, { type: 'failover_triggered' }>;

/** Changes of state, each with a new event. */
export const changes = {
  saved: (definition = aDefinition()): StateChange => ({ kind: 'stream-saved', definition }),
  removed: (streamId: StreamId = STREAM): StateChange => ({ kind: 'stream-removed', streamId }),
  opened: (streamId: StreamId = STREAM): StateChange => ({
    kind: 'stream-opened',
    event: anEvent({ streamId }),
  }),
  closed: (
    reason: (typeof FACTS.stream_stopped)['reason'] | 'manual_deletion' = 'manual_deletion',
  ): StateChange => ({
    kind: 'stream-closed',
    event: anEvent({ fact: { ...FACTS.stream_stopped, reason } }),
  }),
  joined: (
    sessionId: SessionId = newSessionId(),
    node = 'node' as NodeEpoch,
    { polls = false, clientId = VIEWER } = {},
  ): StateChange => ({
    kind: 'viewer-joined',
    sessionId,
    node,
    polls,
    event: anEvent({ fact: { ...FACTS.client_connected, clientId } }),
  }),
  left: (sessionId: SessionId, fact: Partial<Left> = {}): StateChange => ({
    kind: 'viewer-left',
    sessionId,
    event: anEvent({ fact: { ...FACTS.client_disconnected, ...fact } }),
  }),
  moved: (node: NodeEpoch, fact: Partial<Moved> = {}): StateChange => ({
    kind: 'moved',
    node,
    event: anEvent({ fact: { ...FACTS.failover_triggered, ...fact } }),
  }),
  noted: (metadata: Readonly<Record<string, string>> = {}): StateChange => ({
    kind: 'noted',
    event: anEvent({ fact: FACTS.failover_triggered, metadata }),
  }),
};
