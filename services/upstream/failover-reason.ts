import type { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';

/** Which transfer met the failure; the stem of the reason tells. */
export type FailoverStage = 'live' | 'vod' | 'playlist' | 'segment';

/** m3u-proxy reports failures under its HTTP library's names; receivers may know them. */
const WIRE_NAMES: Partial<Record<ErrorCode, string>> = {
  UPSTREAM_STATUS: 'HTTPStatusError',
  EGRESS_FAILED: 'ProxyError',
  UPSTREAM_REFUSED: 'ConnectError',
  UPSTREAM_DNS: 'ConnectError',
  UPSTREAM_TLS: 'ConnectError',
  UPSTREAM_TIMEOUT: 'ReadTimeout',
  UPSTREAM_STALLED: 'ReadTimeout',
  UPSTREAM_RESET: 'ReadError',
  UPSTREAM_TRUNCATED: 'RemoteProtocolError',
  UPSTREAM_PROTOCOL: 'RemoteProtocolError',
  UPSTREAM_REDIRECT_LOOP: 'TooManyRedirects',
};

/** What was found wrong with a live source that sends: m3u-proxy has a word for two of these. */
const FOUND: Partial<Record<ErrorCode, string>> = {
  UPSTREAM_BITRATE_LOW: 'low_bitrate',
  UPSTREAM_SILENT: 'silence_detected',
  UPSTREAM_PCR_STOPPED: 'clock_stopped',
  UPSTREAM_ERRORS: 'transport_errors',
  UPSTREAM_TRACK_MISSING: 'track_missing',
  UPSTREAM_SCRAMBLED: 'scrambled',
  UPSTREAM_LOOPING: 'clip_repeats',
};

/** The reason word of a failover: m3u-proxy's stems (contract 7.2) with its suffixes. */
export function failoverReason(stage: FailoverStage, error: AppError): string {
  const name = WIRE_NAMES[error.code] ?? error.code;
  if (stage === 'playlist') return `playlist_fetch_error_${name}`;
  if (stage === 'segment') return 'segment_fetch_error';
  if (stage === 'live' && error.code === 'UPSTREAM_ENDED') return 'live_stream_silent_close';
  const found = FOUND[error.code];
  if (found !== undefined) return found;
  return `stream_error_${name}_after_retries`;
}

/** The name under which a failure is reported as `error_type`. */
export const wireNameOf = (error: AppError): string => WIRE_NAMES[error.code] ?? error.code;
