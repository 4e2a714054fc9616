import type { Metadata } from '#events';
import type { StreamId } from '#kernel/ids';
import type { ResolverPlan } from '#resolve';
import type { TranscodePlan } from '#transcode';
import type { Egress } from '#upstream';

export type SharingMode = 'per-client' | 'shared';

/** Low-latency HLS: passed on with all it needs, or taken out of playlists. */
export type LowLatencyMode = 'honour' | 'strip';

/**
 * m3u-proxy's per-stream switches, kept as they were posted. `null` means: the global setting.
 * What acts on them today is said in `docs/compatibility.md`.
 */
export type StreamOptions = {
  readonly strictLiveTs: boolean | null;
  readonly useStickySession: boolean | null;
  readonly enableSilenceDetection: boolean | null;
  readonly silenceThresholdDb: number | null;
  readonly silenceDurationSeconds: number | null;
  readonly silenceCheckIntervalSeconds: number | null;
  readonly silenceFailoverThreshold: number | null;
  readonly silenceMonitoringGraceSeconds: number | null;
  /** Of ours; absent from streams that were posted before it was. */
  readonly lowLatency?: LowLatencyMode | null;
};

/** What an app asked for: all of it durable, none of it observed. */
export type StreamDefinition = {
  readonly v: 1;
  readonly id: StreamId;
  /** The exact string that was posted: http or https. */
  readonly url: string;
  readonly failoverUrls: readonly string[];
  readonly failoverResolverUrl: string | null;
  /** `null` means: `DEFAULT_USER_AGENT`. */
  readonly userAgent: string | null;
  /** Sent with every upstream request of this stream; may hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** By which way its sources are reached; absent or `null`: the default one. */
  readonly egress?: Egress | null;
  /**
   * Requests that the provider account of `url` takes at once; absent or `null`: as
   * `PROVIDER_CONNECTIONS` says of its host.
   */
  readonly maxConnections?: number | null;
  readonly metadata: Metadata;
  /** `null` means: `STREAM_SHARING`. */
  readonly sharing: SharingMode | null;
  readonly options: StreamOptions;
  /** What the media is made into before viewers get it; absent: nothing. */
  readonly transcode?: TranscodePlan;
  /** Its URLs are those of pages, whose media a program finds; absent: they are media. */
  readonly resolver?: ResolverPlan;
  /** Epoch milliseconds of the first POST; kept when the stream is posted again. */
  readonly createdAtMs: number;
};

/** A definition as an app posts it. */
export type StreamInput = Omit<StreamDefinition, 'v' | 'id' | 'createdAtMs'>;
