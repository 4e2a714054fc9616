import type { AppError } from '#kernel/app-error';
import { failureClassOf } from './failure-class.ts';
import type { FailureClass } from './failure-class.ts';

/** Nobody's picture waits for longer because a provider wants it to. */
const MAX_REST_MS = 60_000;

/**
 * What a provider asks for with `Retry-After` (RFC 9110 §10.2.3), in milliseconds, a minute at most.
 * @returns undefined when it asks for nothing, or not in words that are known.
 */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return ms > 0 ? Math.min(ms, MAX_REST_MS) : undefined;
}

/** How long the source that failed so is to be left in peace; 0 when it did not say. */
export function restMsOf({ details }: AppError): number {
  const { retryAfterMs: ms } = details;
  return typeof ms === 'number' ? ms : 0;
}

/** What a failure says about asking the same source again. */
export const failureFacts = (error: AppError): { failure: FailureClass; restMs: number } => ({
  failure: failureClassOf(error),
  restMs: restMsOf(error),
});
