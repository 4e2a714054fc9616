import type { DomainEvent } from '#events';
import type { EndpointId } from '#kernel/ids';
import type { Endpoint } from './endpoint.ts';
import type { Delivery } from './ports.ts';

/**
 * Which deliveries a run of events makes: per endpoint, in the order of the events. Endpoints that
 * hear of none are left out.
 */
export function planDeliveries(
  events: readonly DomainEvent[],
  endpoints: readonly Endpoint[],
): ReadonlyMap<EndpointId, readonly Delivery[]> {
  const plan = new Map<EndpointId, readonly Delivery[]>();
  for (const { id, events: types } of endpoints) {
    const wanted = events.filter(({ fact }) => types.includes(fact.type));
    if (wanted.length > 0)
      plan.set(
        id,
        wanted.map((event) => firstDelivery(id, event)),
      );
  }
  return plan;
}

const firstDelivery = (endpointId: EndpointId, event: DomainEvent): Delivery => ({
  v: 1,
  endpointId,
  event,
  failedAttempts: 0,
});
