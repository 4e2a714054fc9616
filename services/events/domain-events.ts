import type { ClientId, EventId, StreamId } from '#kernel/ids';

/** Flat, opaque facts that the app attached to its stream; every value is a string. */
export type Metadata = Readonly<Record<string, string>>;

/** How a stream's session can end; the word travels in `stream_stopped`. */
export type StopReason =
  | 'last_client_disconnected'
  | 'inactive_timeout'
  | 'manual_deletion'
  | 'metadata_filter_deletion'
  | 'oldest_stream_deletion'
  | 'sources_failed'
  | 'node_lost';

/** What happened, in our words. `webhook-envelope.ts` puts it into those of the wire. */
export type Fact =
  | {
      readonly type: 'stream_started';
      readonly primaryUrl: string;
      readonly failoverUrls: readonly string[];
      readonly userAgent: string;
      readonly streamType: 'direct' | 'hls';
    }
  | {
      readonly type: 'stream_stopped';
      readonly reason: StopReason;
      readonly clientId?: ClientId;
      readonly bytesServed: number;
      readonly filter?: { readonly field: string; readonly value: string };
      readonly streamAgeSeconds?: number;
    }
  | {
      readonly type: 'stream_failed';
      readonly error: string;
      readonly errorType: string;
      readonly reason: 'no_failover_available' | 'total_timeout_exceeded';
      readonly retryCount: number;
      readonly clientId?: ClientId;
    }
  | {
      readonly type: 'client_connected';
      readonly clientId: ClientId;
      readonly userAgent: string;
      readonly ipAddress: string;
      readonly username: string | null;
      readonly streamClientCount: number;
    }
  | {
      readonly type: 'client_disconnected';
      readonly clientId: ClientId;
      readonly connectionId: string | null;
      readonly bytesServed: number;
      readonly segmentsServed: number;
      readonly reason: string;
    }
  | {
      readonly type: 'failover_triggered';
      readonly oldUrl: string;
      readonly newUrl: string;
      readonly failoverIndex: number;
      readonly attemptNumber: number;
      readonly reason: string;
      /** The class of the failure, as metrics name it; `manual`, `failback`. */
      readonly cause: string;
      readonly clientCount: number;
      /** From the last byte of the old source to the first of the new, once known. */
      readonly gapMs: number | null;
      /** Sources that were tried in between and gave nothing. */
      readonly failedTries: number;
    }
  | {
      readonly type: 'slate_started';
      readonly trigger: string;
      readonly clientCount: number;
    }
  | {
      readonly type: 'slate_ended';
      readonly trigger: string;
      readonly clientCount: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'transcode_fallback';
      readonly profile: string;
      /** The kind of device that was to encode, and what does instead. */
      readonly from: string;
      readonly to: 'software';
      readonly reason: 'hardware_failed' | 'gpu_sessions_busy';
      readonly clientCount: number;
    };

export type EventType = Fact['type'];

export const EVENT_TYPES = [
  'stream_started',
  'stream_stopped',
  'stream_failed',
  'client_connected',
  'client_disconnected',
  'failover_triggered',
  'slate_started',
  'slate_ended',
  'transcode_fallback',
] as const satisfies readonly EventType[];

/** One fact, named for ever by `eventId`, of one stream, with the app's metadata in full. */
export type DomainEvent = {
  readonly eventId: EventId;
  readonly streamId: StreamId;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly metadata: Metadata;
  readonly fact: Fact;
};
