import type { DomainEvent } from '#events';
import type { EndpointId } from '#kernel/ids';
import type { Endpoint } from './endpoint.ts';

/** Durable endpoints. Every method throws DependencyError `STORE_UNAVAILABLE` when Redis is away. */
export interface EndpointStore {
  /** Oldest first. */
  list(): Promise<readonly Endpoint[]>;
  find(id: EndpointId): Promise<Endpoint | undefined>;
  /** Replaces the endpoint with the same id. */
  save(endpoint: Endpoint): Promise<void>;
  /** False when there was none. */
  remove(id: EndpointId): Promise<boolean>;
}

/** One finished HTTP attempt at an endpoint. */
export type PostResult = { readonly status: number };

/** Posts one delivery. Redirects are not followed. */
export interface WebhookClient {
  /**
   * Whatever the answer says, it is read to its end or to 64 KiB, and forgotten.
   *
   * @throws UpstreamError when there was no answer within `timeoutMs`.
   * @throws InvalidInputError `UPSTREAM_TARGET_FORBIDDEN` for an address that may not be reached.
   * @throws the signal's reason when it aborts.
   */
  post(request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<PostResult>;
}

/** One event on its way to one endpoint. Ids name the endpoint: its secret stays at home. */
export type Delivery = {
  readonly v: 1;
  readonly endpointId: EndpointId;
  readonly event: DomainEvent;
  /** Attempts that have failed. */
  readonly failedAttempts: number;
};

/** What is to become of a delivery after it was worked on. */
export type DeliveryOutcome =
  | { readonly kind: 'done' }
  /** To be worked on again before all others of its endpoint, after `delayMs`. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly failedAttempts: number }
  /** Given up: kept as failed for a while; the next one's turn comes. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Works on one delivery.
 *
 * When it rejects with a DependencyError, or because `signal` aborted, the delivery is put back
 * and no attempt is counted. Any other error is a bug: the delivery fails.
 */
export type ProcessDelivery = (delivery: Delivery, signal: AbortSignal) => Promise<DeliveryOutcome>;

/** Counts deliveries by what became of them. Must not throw. */
export interface DeliveryMeter {
  /**
   * `retried`: an attempt has failed, another will follow. `dropped`: the endpoint's queue was full.
   * @param times - 1 when absent.
   */
  delivery(outcome: 'delivered' | 'retried' | 'given_up' | 'dropped', times?: number): void;
}

/** One queue of deliveries per endpoint, first in first out. */
export interface DeliveryQueues {
  /**
   * Adds deliveries to the end of one endpoint's queue, in their order. A delivery whose event and
   * endpoint are queued already, or were done lately, is not added again.
   *
   * @returns how many of the oldest were dropped because the queue is full.
   */
  enqueue(endpointId: EndpointId, deliveries: readonly Delivery[]): Promise<number>;
  /** Drops an endpoint's queue with all that waits in it. */
  drop(endpointId: EndpointId): Promise<void>;
  /** Endpoints that have a queue. */
  list(): Promise<readonly EndpointId[]>;
  /** Forgets what is known of the queues: another process may have filled and dropped them. */
  forget(): Promise<void>;
}
