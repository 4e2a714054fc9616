import type { Endpoint, TestOutcome } from '#webhooks';

/** The answer to `POST /webhooks`. */
export const presentRegistered = (endpoint: Endpoint, ignoredHeaders: readonly string[]) => ({
  message: 'Webhook registered',
  webhook_url: endpoint.url,
  events: endpoint.events,
  ignored_headers: ignoredHeaders,
});

/** An endpoint as lists show it: without its headers and its secret. */
export const presentEndpoint = (endpoint: Endpoint) => ({
  url: endpoint.url,
  events: endpoint.events,
  timeout: endpoint.timeoutSeconds,
  retry_attempts: endpoint.retryAttempts,
  signed: endpoint.secret !== null,
});

export const presentTestDelivery = ({ eventId, delivered, status }: TestOutcome) => ({
  message: delivered ? 'Test event delivered' : 'Test event was not delivered',
  event_id: eventId,
  delivered,
  status,
});
