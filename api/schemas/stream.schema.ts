import Joi from 'joi';
import type { LowLatencyMode, SharingMode, StreamInput } from '#streams';
import { checkBody, settled } from './check.ts';
import type { BodySchema } from './check.ts';
import { egress, egressIn } from './egress.ts';
import type { EgressBody } from './egress.ts';
import { flag, numberIn, orNull, url } from './fields.ts';
import { MAX_HEADERS, headerMap, sortHeaders } from './headers.ts';
import { MAX_METADATA, metadataMap } from './metadata.ts';

/** The body of `POST /streams` once checked; every absent field is there as its default. */
type StreamBody = {
  readonly url: string;
  readonly failover_urls: readonly string[] | null;
  readonly failover_resolver_url: string | null;
  readonly user_agent: string | null;
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly sharing: SharingMode | null;
  readonly egress: EgressBody | null;
  readonly max_connections: number | null;
  readonly strict_live_ts: boolean | null;
  readonly use_sticky_session: boolean | null;
  readonly enable_silence_detection: boolean | null;
  readonly silence_threshold_db: number | null;
  readonly silence_duration: number | null;
  readonly silence_check_interval: number | null;
  readonly silence_failover_threshold: number | null;
  readonly silence_monitoring_grace_period: number | null;
  readonly hls_low_latency: LowLatencyMode | null;
};

const lineOfText = Joi.string()
  .allow('')
  .pattern(
    /^[\t\x20-\x7e\x80-\xff]{0,1024}$/,
    'one line of Latin-1 text, of at most 1024 characters',
  );
const anyNumber = numberIn({ min: -1e6, max: 1e6 });

const fields = Joi.object<StreamBody>({
  url: url.required(),
  failover_urls: orNull(Joi.array().items(url)),
  failover_resolver_url: orNull(url),
  user_agent: orNull(lineOfText),
  headers: orNull(headerMap),
  metadata: orNull(metadataMap),
  sharing: orNull(Joi.valid('per-client', 'shared')),
  egress: orNull(egress),
  max_connections: orNull(numberIn({ min: 1, max: 1000, whole: true })),
  strict_live_ts: orNull(flag),
  use_sticky_session: orNull(flag),
  enable_silence_detection: orNull(flag),
  silence_threshold_db: orNull(anyNumber),
  silence_duration: orNull(anyNumber),
  silence_check_interval: orNull(anyNumber),
  silence_failover_threshold: orNull(numberIn({ min: -1e6, max: 1e6, whole: true })),
  silence_monitoring_grace_period: orNull(anyNumber),
  hls_low_latency: orNull(Joi.valid('honour', 'strip')),
}).unknown(true);

const streamBody: BodySchema<StreamBody> = {
  fields: settled(fields),
  bounds: {
    lists: { failover_urls: 100 },
    maps: { headers: MAX_HEADERS, metadata: MAX_METADATA },
  },
};

export type PostedStream = {
  readonly input: StreamInput;
  /** Headers that were left out because an app cannot set them. */
  readonly ignoredHeaders: readonly string[];
};

/**
 * The stream that a body describes. Unknown fields are ignored.
 * @throws ValidationError naming every field at fault.
 */
export function postedStream(body: unknown): PostedStream {
  const posted = checkBody(streamBody, body);
  const headers = sortHeaders(posted.headers ?? {});
  return { input: inputOf(posted, headers.kept), ignoredHeaders: headers.ignored };
}

const inputOf = (posted: StreamBody, headers: StreamInput['headers']): StreamInput => ({
  url: posted.url,
  failoverUrls: posted.failover_urls ?? [],
  failoverResolverUrl: posted.failover_resolver_url,
  userAgent: posted.user_agent === '' ? null : posted.user_agent,
  headers,
  metadata: posted.metadata ?? {},
  sharing: posted.sharing,
  egress: egressIn(posted.egress),
  maxConnections: posted.max_connections,
  options: {
    strictLiveTs: posted.strict_live_ts,
    useStickySession: posted.use_sticky_session,
    enableSilenceDetection: posted.enable_silence_detection,
    silenceThresholdDb: posted.silence_threshold_db,
    silenceDurationSeconds: posted.silence_duration,
    silenceCheckIntervalSeconds: posted.silence_check_interval,
    silenceFailoverThreshold: posted.silence_failover_threshold,
    silenceMonitoringGraceSeconds: posted.silence_monitoring_grace_period,
    lowLatency: posted.hls_low_latency,
  },
});
