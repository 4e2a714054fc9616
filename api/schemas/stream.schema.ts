import Joi from 'joi';
import type { SharingMode, StreamInput } from '#streams';
import { check } from './check.ts';
import { flag, listOf, url } from './fields.ts';
import { headerMap, sortHeaders } from './headers.ts';
import { metadataMap } from './metadata.ts';

/** The body of `POST /streams` once checked; every absent field is there as its default. */
type StreamBody = {
  readonly url: string;
  readonly failover_urls: readonly string[] | null;
  readonly failover_resolver_url: string | null;
  readonly user_agent: string | null;
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly sharing: SharingMode | null;
  readonly strict_live_ts: boolean | null;
  readonly use_sticky_session: boolean | null;
  readonly enable_silence_detection: boolean | null;
  readonly silence_threshold_db: number | null;
  readonly silence_duration: number | null;
  readonly silence_check_interval: number | null;
  readonly silence_failover_threshold: number | null;
  readonly silence_monitoring_grace_period: number | null;
};

const orNull = (schema: Joi.Schema): Joi.Schema => schema.allow(null).default(null);
const number = Joi.number().min(-1e6).max(1e6).messages({ 'number.base': 'must be a number' });
const lineOfText = Joi.string()
  .allow('')
  .pattern(/^[\t\x20-\x7e\x80-\xff]{0,1024}$/)
  .messages({
    'string.base': 'must be a string',
    'string.pattern.base': 'must be one line of Latin-1 text, of at most 1024 characters',
  });

const streamBody = Joi.object<StreamBody>({
  url: url.required(),
  failover_urls: orNull(listOf(url, 100)),
  failover_resolver_url: orNull(url),
  user_agent: orNull(lineOfText),
  headers: headerMap.allow(null),
  metadata: metadataMap.allow(null),
  sharing: orNull(
    Joi.valid('per-client', 'shared').messages({ 'any.only': 'must be per-client or shared' }),
  ),
  strict_live_ts: orNull(flag),
  use_sticky_session: orNull(flag),
  enable_silence_detection: orNull(flag),
  silence_threshold_db: orNull(number),
  silence_duration: orNull(number),
  silence_check_interval: orNull(number),
  silence_failover_threshold: orNull(number.integer()),
  silence_monitoring_grace_period: orNull(number),
})
  .unknown(true)
  .required()
  .messages({ 'object.base': 'must be a JSON object', 'any.required': 'is required' });

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
  const posted = check(streamBody, body, 'body');
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
  options: {
    strictLiveTs: posted.strict_live_ts,
    useStickySession: posted.use_sticky_session,
    enableSilenceDetection: posted.enable_silence_detection,
    silenceThresholdDb: posted.silence_threshold_db,
    silenceDurationSeconds: posted.silence_duration,
    silenceCheckIntervalSeconds: posted.silence_check_interval,
    silenceFailoverThreshold: posted.silence_failover_threshold,
    silenceMonitoringGraceSeconds: posted.silence_monitoring_grace_period,
  },
});
