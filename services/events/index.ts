export { EVENT_TYPES } from './domain-events.ts';
export type { DomainEvent, EventType, Fact, Metadata, StopReason } from './domain-events.ts';
export type { EventFeed, LoggedEvent, LogPosition } from './ports.ts';
export { toEnvelope, toTimestamp } from './webhook-envelope.ts';
export type { WebhookEnvelope } from './webhook-envelope.ts';
export { isWebhookSecret, signWebhook, verifyWebhook } from './webhook-signature.ts';
export type { SignedMessage } from './webhook-signature.ts';
