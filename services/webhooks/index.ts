export type { Endpoint } from './endpoint.ts';
export type { EndpointStore, PostResult, WebhookClient } from './ports.ts';
