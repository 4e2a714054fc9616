import type { AppError } from '#kernel/app-error';
import { codeOf } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import { ValidationError } from './validation-error.ts';
import type { FieldProblem } from './validation-error.ts';

type Answer = {
  readonly status: number;
  readonly title: string;
  /** Said instead of the error's own sentence: where clients match on it, or may not see more. */
  readonly detail?: string;
  /** When the same request may succeed; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
};

/** How each failure is told to clients. A new code does not compile until it is placed here. */
export const ANSWERS = {
  INPUT_INVALID: { status: 422, title: 'Invalid input' },
  UPSTREAM_TARGET_FORBIDDEN: { status: 422, title: 'Address not allowed' },
  RANGE_NOT_SATISFIABLE: { status: 416, title: 'Range not satisfiable' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'Body too large' },
  AUTH_REQUIRED: { status: 401, title: 'Token required' },
  AUTH_FORBIDDEN: { status: 403, title: 'Token refused' },
  HANDLE_INVALID: { status: 403, title: 'Link not valid' },
  ACCESS_REQUIRED: { status: 401, title: 'Link or key required' },
  ACCESS_ENDED: { status: 403, title: 'Access ended' },
  LINK_EXPIRED: { status: 403, title: 'Link expired' },
  TOO_MANY_GUESSES: { status: 429, title: 'Too many wrong keys' },
  STREAM_KEY_NOT_FOUND: { status: 404, title: 'Stream key not found' },
  SECRET_IN_SETTING: { status: 409, title: 'Secret given by a setting' },
  ROUTE_NOT_FOUND: { status: 404, title: 'Route not found', detail: 'Not Found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed', detail: 'Method Not Allowed' },
  STREAM_NOT_FOUND: { status: 404, title: 'Stream not found', detail: 'Stream not found' },
  WEBHOOK_NOT_FOUND: { status: 404, title: 'Webhook not found', detail: 'Webhook not found' },
  FAILOVER_NOT_CONFIGURED: { status: 400, title: 'No failover configured' },
  STREAM_GONE: { status: 410, title: 'Stream removed' },
  VIEWER_KICKED: { status: 403, title: 'Viewer removed' },
  EGRESS_FAILED: { status: 502, title: 'Egress failed' },
  UPSTREAM_REFUSED: { status: 502, title: 'Source refused the connection' },
  UPSTREAM_DNS: { status: 502, title: 'Source name not found' },
  UPSTREAM_TLS: { status: 502, title: 'Source not trusted' },
  UPSTREAM_STATUS: { status: 502, title: 'Source answered with an error' },
  UPSTREAM_REDIRECT_LOOP: { status: 502, title: 'Source redirects too often' },
  UPSTREAM_PROTOCOL: { status: 502, title: 'Source does not speak HTTP' },
  UPSTREAM_TIMEOUT: { status: 504, title: 'Source did not answer in time' },
  UPSTREAM_STALLED: { status: 504, title: 'Source stalled' },
  UPSTREAM_RESET: { status: 502, title: 'Source broke the connection' },
  UPSTREAM_TRUNCATED: { status: 502, title: 'Source ended too early' },
  UPSTREAM_ENDED: { status: 502, title: 'Source ended' },
  UPSTREAM_WRONG_TYPE: { status: 502, title: 'Source sent no media' },
  UPSTREAM_CHANGED: { status: 502, title: 'Source changed' },
  UPSTREAM_PCR_STOPPED: { status: 502, title: 'Clock of the source stopped' },
  UPSTREAM_BITRATE_LOW: { status: 502, title: 'Source sends too little' },
  UPSTREAM_ERRORS: { status: 502, title: 'Source is damaged' },
  UPSTREAM_TRACK_MISSING: { status: 502, title: 'Source lost a track' },
  UPSTREAM_SCRAMBLED: { status: 502, title: 'Source is scrambled' },
  UPSTREAM_LOOPING: { status: 502, title: 'Source repeats a clip' },
  UPSTREAM_SILENT: { status: 502, title: 'Source is silent' },
  PROVIDER_AT_CAPACITY: { status: 503, title: 'Provider at its limit', retryAfterSeconds: 5 },
  ALL_SOURCES_FAILED: { status: 502, title: 'All sources failed' },
  PLAYLIST_MALFORMED: { status: 502, title: 'Playlist malformed' },
  PLAYLIST_TOO_LARGE: { status: 502, title: 'Playlist too large' },
  TRANSCODE_TEMPLATE_REFUSED: { status: 400, title: 'Template refused' },
  TRANSCODE_PROFILE_UNKNOWN: { status: 400, title: 'Unknown profile' },
  TRANSCODE_PROFILE_NOT_FOUND: { status: 404, title: 'Profile not found' },
  TRANSCODE_PROFILE_BUILT_IN: { status: 409, title: 'Profile is built in' },
  TRANSCODE_FAILED: { status: 502, title: 'Transcode failed' },
  TRANSCODE_STALLED: { status: 504, title: 'Transcode stalled' },
  TRANSCODE_UNSUPPORTED: { status: 501, title: 'Transcode not possible' },
  RESOLVER_ARGS_REFUSED: { status: 400, title: 'Arguments refused' },
  RESOLVER_FAILED: { status: 502, title: 'Page gave no media' },
  WORKERS_AT_CAPACITY: { status: 503, title: 'No worker free', retryAfterSeconds: 5 },
  NETWORK_NOT_FOUND: { status: 404, title: 'Network not found' },
  NETWORK_FILE_NOT_FOUND: { status: 404, title: 'File of a network not found' },
  NETWORK_START_FAILED: { status: 500, title: 'Network did not start' },
  NETWORK_START_THROTTLED: { status: 500, title: 'Network fails to start' },
  NETWORK_STOPPED: { status: 409, title: 'Network stopped meanwhile' },
  COOKIES_FILE_INVALID: { status: 400, title: 'Cookies file not usable' },
  PROGRAM_DISABLED: { status: 400, title: 'Program turned off' },
  PROGRAM_MISSING: { status: 503, title: 'Program not installed', retryAfterSeconds: 300 },
  PROGRAM_BUSY: { status: 503, title: 'Program busy', retryAfterSeconds: 5 },
  PROGRAM_TIMEOUT: { status: 504, title: 'Program did not answer in time' },
  PROGRAM_FAILED: { status: 422, title: 'Program found nothing' },
  CONVERTER_MISSING: { status: 503, title: 'No converter', retryAfterSeconds: 60 },
  STORE_UNAVAILABLE: { status: 503, title: 'Store unavailable', retryAfterSeconds: 2 },
  QUEUE_UNAVAILABLE: { status: 503, title: 'Queue unavailable', retryAfterSeconds: 2 },
  SHUTTING_DOWN: { status: 503, title: 'Shutting down', retryAfterSeconds: 5 },
  INTERNAL: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here. The log has more under this request id.',
  },
} as const satisfies Record<ErrorCode, Answer>;

/** RFC 9457, with `detail` always a string so that clients of m3u-proxy can read it. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id: string;
  /** One entry for each field at fault; with `INPUT_INVALID` only. */
  readonly errors?: readonly FieldProblem[];
};

/** The words for a failure, and the seconds for `Retry-After`, if it should be tried again. */
export function problemOf(
  error: AppError,
  requestId: string,
): { readonly body: Problem; readonly retryAfterSeconds: number | undefined } {
  const answer: Answer = ANSWERS[error.code];
  const body = {
    type: `urn:penstock:error:${error.code}`,
    title: answer.title,
    status: statusOf(error),
    detail: answer.detail ?? error.message,
    code: error.code,
    request_id: requestId,
    ...(error instanceof ValidationError ? { errors: error.problems } : {}),
  };
  return { body, retryAfterSeconds: retryAfterOf(error) ?? answer.retryAfterSeconds };
}

function retryAfterOf({ details }: AppError): number | undefined {
  const seconds = details['retryAfterSeconds'];
  return typeof seconds === 'number' ? seconds : undefined;
}

/** When every source has failed, the last failure says whether they were wrong or merely late. */
function statusOf(error: AppError): number {
  const { status } = ANSWERS[error.code];
  if (error.code !== 'ALL_SOURCES_FAILED' || error.cause === undefined) return status;
  const cause = ANSWERS[codeOf(error.cause)].status;
  return cause === 504 ? cause : status;
}
