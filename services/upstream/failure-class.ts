import type { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';

/**
 * What a failure says about trying the same source again.
 * - `broken`: it worked and broke off; a new connection often goes on at once.
 * - `unavailable`: it may come back in a while.
 * - `useless`: asked again, it will say the same.
 */
export type FailureClass = 'broken' | 'unavailable' | 'useless';

const BY_CODE: Partial<Record<ErrorCode, FailureClass>> = {
  UPSTREAM_RESET: 'broken',
  UPSTREAM_TRUNCATED: 'broken',
  UPSTREAM_ENDED: 'broken',
  EGRESS_FAILED: 'unavailable',
  PROVIDER_AT_CAPACITY: 'unavailable',
  RESOLVER_FAILED: 'unavailable',
  WORKERS_AT_CAPACITY: 'unavailable',
  UPSTREAM_STALLED: 'unavailable',
  UPSTREAM_REFUSED: 'unavailable',
  UPSTREAM_TIMEOUT: 'unavailable',
  UPSTREAM_DNS: 'unavailable',
  UPSTREAM_PCR_STOPPED: 'unavailable',
  UPSTREAM_BITRATE_LOW: 'unavailable',
  UPSTREAM_ERRORS: 'unavailable',
  UPSTREAM_TRACK_MISSING: 'unavailable',
  UPSTREAM_SCRAMBLED: 'unavailable',
  UPSTREAM_LOOPING: 'unavailable',
  UPSTREAM_SILENT: 'unavailable',
};

/** Our own limit for its account: the source has not been asked. */
export const isAtCapacity = ({ code }: AppError): boolean => code === 'PROVIDER_AT_CAPACITY';

/** Statuses below 500 that ask for patience rather than say no (RFC 9110, RFC 6585). */
const PATIENCE = new Set([408, 425, 429]);

/** Sorts a failure of a source; what is not listed as passing is `useless`. */
export function failureClassOf(error: AppError): FailureClass {
  if (error.code !== 'UPSTREAM_STATUS') return BY_CODE[error.code] ?? 'useless';
  const status = statusOf(error) ?? 0;
  return status >= 500 || PATIENCE.has(status) ? 'unavailable' : 'useless';
}

/** The HTTP status that a failing source answered with, if it did. */
export function statusOf(error: AppError): number | null {
  const status = error.details['status'];
  return typeof status === 'number' ? status : null;
}
