import { describe, expect, it } from 'vitest';
import { decideDelivery } from '#webhooks';
import type { Attempt, DeliveryDecision } from '#webhooks';

const SILENT: Attempt = { status: null, error: 'UPSTREAM_TIMEOUT' };
const retryAfter = (delayMs: number): DeliveryDecision => ({ action: 'retry', delayMs });
const DELIVERED: DeliveryDecision = { action: 'delivered' };
const GIVE_UP: DeliveryDecision = { action: 'give-up' };

/** attempt, failed before, retries as registered, decision */
const TABLE: readonly (readonly [Attempt, number, number, DeliveryDecision])[] = [
  [{ status: 200 }, 0, 3, DELIVERED],
  [{ status: 204 }, 3, 3, DELIVERED],
  [{ status: 302 }, 0, 3, DELIVERED],
  [{ status: 399 }, 0, 0, DELIVERED],
  [{ status: 400 }, 0, 3, retryAfter(1_000)],
  [{ status: 410 }, 0, 3, retryAfter(1_000)],
  [{ status: 500 }, 1, 3, retryAfter(2_000)],
  [SILENT, 2, 3, retryAfter(4_000)],
  [SILENT, 3, 3, GIVE_UP],
  [SILENT, 0, 0, GIVE_UP],
  [{ status: 500 }, 8, 20, retryAfter(256_000)],
  [{ status: 500 }, 9, 20, retryAfter(300_000)],
  [{ status: 500 }, 19, 20, retryAfter(300_000)],
  [{ status: 500 }, 20, 20, GIVE_UP],
  // The registration was changed to fewer retries meanwhile.
  [{ status: 500 }, 5, 2, GIVE_UP],
];

const firstRetry = (random: number): DeliveryDecision =>
  decideDelivery(SILENT, { failedBefore: 0, retryAttempts: 1 }, () => random);

describe('the decision about a delivery', () => {
  it.each(TABLE)('is, after %o with %i failed before of %i retries, %o', (...row) => {
    const [attempt, failedBefore, retryAttempts, decision] = row;
    expect(decideDelivery(attempt, { failedBefore, retryAttempts }, () => 0)).toEqual(decision);
  });

  it('takes up to a fifth off the delay by chance', () => {
    expect(firstRetry(0.5)).toEqual(retryAfter(900));
    expect(firstRetry(1)).toEqual(retryAfter(800));
  });
});
