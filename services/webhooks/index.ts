export { createDeliver, isDelivered } from './deliver.ts';
export type { Attempt, Deliver, DelivererOptions } from './deliver.ts';
export { decideDelivery } from './delivery-policy.ts';
export type { DeliveryDecision } from './delivery-policy.ts';
export type { Endpoint } from './endpoint.ts';
export { planDeliveries } from './plan-deliveries.ts';
export type {
  Delivery,
  DeliveryQueues,
  EndpointStore,
  PostResult,
  WebhookClient,
} from './ports.ts';
export { Webhooks } from './webhooks.ts';
export type { EndpointInput, TestOutcome, WebhooksOptions } from './webhooks.ts';
