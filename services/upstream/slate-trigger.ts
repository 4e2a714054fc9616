import { AppError } from '#kernel/app-error';
import { statusOf } from './failure-class.ts';

/** Why viewers see a fallback video; also the name of the operator's file for it. */
export const SLATE_TRIGGERS = [
  'channel_unavailable',
  'provider_connections_exhausted',
  'user_connections_exhausted',
  'low_priority_preempted',
  'user_account_expired',
] as const;

export type SlateTrigger = (typeof SLATE_TRIGGERS)[number];

/** What providers answer when an account has too many connections open. */
const OVER_LIMIT = new Set([403, 429, 458, 509]);

/**
 * The slate for a source's failure: a provider at its limit, or a channel that does not work.
 * Of `ALL_SOURCES_FAILED` the failure of the last source counts.
 */
export function slateTriggerOf(error: AppError): SlateTrigger {
  if (error.cause instanceof AppError) return slateTriggerOf(error.cause);
  if (error.code === 'PROVIDER_AT_CAPACITY') return 'provider_connections_exhausted';
  const isOverLimit = OVER_LIMIT.has(statusOf(error) ?? 0);
  return isOverLimit ? 'provider_connections_exhausted' : 'channel_unavailable';
}

/** The slates that do for a trigger, best first. */
export const slatesFor = (trigger: SlateTrigger): readonly SlateTrigger[] =>
  trigger === 'low_priority_preempted' ? [trigger, 'provider_connections_exhausted'] : [trigger];
