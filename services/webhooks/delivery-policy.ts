import { backoffMs } from '#kernel/backoff';
import type { Backoff } from '#kernel/backoff';
import { isDelivered } from './deliver.ts';
import type { Attempt } from './deliver.ts';

/** What becomes of a delivery after an attempt. */
export type DeliveryDecision =
  | { readonly action: 'delivered' }
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'give-up' };

const BACKOFF: Backoff = { baseMs: 1_000, maxMs: 300_000, factor: 2, jitter: 0.2 };

/**
 * Decides about a delivery: one attempt, and as many retries as the endpoint was registered with,
 * after 1 s, 2 s, 4 s … up to five minutes, each up to a fifth shorter by chance. Every failure
 * counts the same; 410 is one of them and removes nothing.
 *
 * @param failedBefore - Attempts that had failed before this one.
 * @param random - 0 to 1; `Math.random` in production.
 */
export function decideDelivery(
  attempt: Attempt,
  {
    failedBefore,
    retryAttempts,
  }: { readonly failedBefore: number; readonly retryAttempts: number },
  random: () => number,
): DeliveryDecision {
  if (isDelivered(attempt)) return { action: 'delivered' };
  if (failedBefore >= retryAttempts) return { action: 'give-up' };
  return { action: 'retry', delayMs: backoffMs(BACKOFF, failedBefore + 1, random) };
}
