export { EVENT_TYPES } from './domain-events.ts';
export type { DomainEvent, EventType, Fact, Metadata, StopReason } from './domain-events.ts';
