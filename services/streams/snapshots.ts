import type { ClientId, StreamId } from '#kernel/ids';
import type { SlateTrigger } from '#upstream';
import type { StreamDefinition } from './definition.ts';

/** What a source delivers: it decides how bytes travel and what a failure means. */
export type MediaKind = 'live' | 'vod' | 'hls' | 'dash';

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

/**
 * One switch of source, however many were tried in between. The times are `null` until media has
 * come, and where nobody had a picture.
 */
export type SwitchSnapshot = {
  readonly atMs: number;
  /** -1 is the primary, n the (n+1)-th backup. */
  readonly fromIndex: number;
  readonly toIndex: number;
  readonly reason: string;
  /** The class of the failure, as metrics name it; `manual`, `failback`. */
  readonly cause: string;
  /** Sources that were tried in between and gave nothing. */
  readonly failedTries: number;
  /** From the last byte of the old source to the first of the new. */
  readonly gapMs: number | null;
  readonly detectionMs: number | null;
  readonly connectMs: number | null;
};

/** What a source consists of; what could not be told is absent. */
export type MediaFacts = {
  /** In capitals, as `MPEGTS`. */
  readonly container: string;
  /** Codecs have FFmpeg's names. */
  readonly videoCodec?: string;
  /** `1920x1080`. */
  readonly resolution?: string;
  readonly fps?: number;
  readonly audioCodec?: string;
  /** `stereo`, `5.1`. */
  readonly audioChannels?: string;
  readonly bitrateKbps?: number;
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
  /** The last ten switches of source, oldest first. */
  readonly switches: readonly SwitchSnapshot[];
  /** Why viewers see a slate; `null` while none does. */
  readonly slate: SlateTrigger | null;
  /** Of the source in use; `null` while nobody has looked. */
  readonly media: MediaFacts | null;
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

/** The same for one kind of media. */
export type KindTotals = Pick<Totals, 'streams' | 'activeStreams' | 'viewers' | 'bytesServed'>;

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
