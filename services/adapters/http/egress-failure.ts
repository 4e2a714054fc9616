import { type AppError, UpstreamError } from '#kernel/app-error';

/**
 * How an egress failed: it cannot be reached, wants other credentials, does not want to connect,
 * is too slow, or does not speak its protocol; or its own name is not known.
 */
export type EgressReason = 'unreachable' | 'auth' | 'refused' | 'timeout' | 'protocol' | 'dns';

export const egressFailed = (reason: EgressReason, cause?: unknown): UpstreamError =>
  new UpstreamError('EGRESS_FAILED', { message: MESSAGES[reason], details: { reason }, cause });

const MESSAGES = {
  unreachable: 'The egress of this stream cannot be reached.',
  auth: 'The egress of this stream refuses our credentials.',
  refused: 'The egress of this stream refuses to connect.',
  timeout: 'The egress of this stream did not answer in time.',
  protocol: 'The egress of this stream does not speak its protocol.',
  dns: 'The name of the egress of this stream cannot be resolved.',
} as const satisfies Record<EgressReason, string>;

/** A failure to connect to the egress itself, told as such; whatever else it is stays that. */
export function asEgressFailure(error: AppError): AppError {
  const reason = REASONS.get(error.code);
  if (reason === undefined) return error;
  const phase = error.details['phase'];
  if (reason === 'timeout' && phase !== undefined && phase !== 'connect') return error;
  return egressFailed(reason, error);
}

const REASONS: ReadonlyMap<string, EgressReason> = new Map([
  ['UPSTREAM_REFUSED', 'unreachable'],
  ['UPSTREAM_RESET', 'unreachable'],
  ['UPSTREAM_TLS', 'unreachable'],
  ['UPSTREAM_TIMEOUT', 'timeout'],
  ['UPSTREAM_DNS', 'dns'],
]);
