import { toEnvelope } from '#events';
import type { Logger } from '#kernel/logger';
import { decideDelivery } from './delivery-policy.ts';
import type { Attempt, Deliver } from './deliver.ts';
import type {
  Delivery,
  DeliveryMeter,
  DeliveryOutcome,
  EndpointStore,
  ProcessDelivery,
} from './ports.ts';

export type ProcessDeliveryOptions = {
  readonly endpoints: EndpointStore;
  readonly deliver: Deliver;
  /** 0 to 1; `Math.random` in production. */
  readonly random: () => number;
  /** Hears what became of each; nobody, when absent. */
  readonly meter?: DeliveryMeter;
  readonly logger: Logger;
};

/**
 * Works on one delivery: one attempt with the endpoint as it is registered now, and the decision
 * about its outcome. A delivery whose endpoint is gone is done.
 */
export function createProcessDelivery({
  endpoints,
  deliver,
  random,
  meter,
  logger,
}: ProcessDeliveryOptions): ProcessDelivery {
  return async (delivery, signal) => {
    const endpoint = await endpoints.find(delivery.endpointId);
    if (!endpoint) return { kind: 'done' };
    const attempt = await deliver(endpoint, toEnvelope(delivery.event), signal);
    const { retryAttempts } = endpoint;
    const failedBefore = delivery.failedAttempts;
    const decision = decideDelivery(attempt, { failedBefore, retryAttempts }, random);
    meter?.delivery(OUTCOMES[decision.action]);
    if (decision.action === 'delivered') return { kind: 'done' };
    const facts = factsOf(delivery, attempt);
    if (decision.action === 'give-up') {
      logger.warn('webhook given up', facts);
      return { kind: 'failed', reason: reasonOf(attempt) };
    }
    logger.debug('webhook attempt failed', { ...facts, delayMs: decision.delayMs });
    return again(failedBefore + 1, decision.delayMs);
  };
}

const OUTCOMES = {
  delivered: 'delivered',
  retry: 'retried',
  'give-up': 'given_up',
} as const;

const again = (failedAttempts: number, delayMs: number): DeliveryOutcome => ({
  kind: 'again',
  failedAttempts,
  delayMs,
});

const reasonOf = (attempt: Attempt): string =>
  attempt.status === null ? attempt.error : `status ${attempt.status}`;

/** Without the URL: receivers put tokens into theirs. */
const factsOf = ({ endpointId, event, failedAttempts }: Delivery, attempt: Attempt) => ({
  endpointId,
  eventId: event.eventId,
  eventType: event.fact.type,
  attempt: failedAttempts + 1,
  outcome: reasonOf(attempt),
});
