import type { ClientId, StreamId } from '#kernel/ids';
import type { StreamDefinition } from './definition.ts';

/** What a source delivers: it decides how bytes travel and what a failure means. */
export type MediaKind = 'live' | 'vod' | 'hls';

/** One viewer as it is now. */
export type ViewerSnapshot = {
  readonly clientId: ClientId;
  readonly streamId: StreamId;
  readonly userAgent: string;
  readonly ipAddress: string;
  readonly username: string | null;
  readonly bytesServed: number;
  readonly segmentsServed: number;
  /** Epoch milliseconds. */
  readonly createdAtMs: number;
  readonly lastAccessMs: number;
};

/** One stream as it is now: what was asked and what is observed. */
export type StreamSnapshot = {
  readonly definition: StreamDefinition;
  readonly kind: MediaKind;
  readonly userAgent: string;
  readonly currentUrl: string;
  /** -1 on the primary, n on the (n+1)-th backup. */
  readonly failoverIndex: number;
  readonly failoverAttempts: number;
  readonly lastFailoverAtMs: number | null;
  readonly viewerCount: number;
  readonly bytesServed: number;
  readonly segmentsServed: number;
  readonly errorCount: number;
  readonly lastAccessMs: number;
};

/** Sums over the whole process. */
export type Totals = {
  readonly streams: number;
  readonly activeStreams: number;
  readonly viewers: number;
  readonly bytesServed: number;
  readonly segmentsServed: number;
  readonly uptimeSeconds: number;
};

/** What POST /streams did. */
export type CreateOutcome = {
  readonly snapshot: StreamSnapshot;
  readonly outcome: 'created' | 'updated';
  /** Fields that act only from the next upstream connection on, because viewers are attached. */
  readonly deferred: readonly string[];
};

export type FailoverOutcome = {
  readonly newUrl: string;
  readonly failoverIndex: number;
  readonly failoverAttempts: number;
  readonly viewerCount: number;
  readonly kind: MediaKind;
};
