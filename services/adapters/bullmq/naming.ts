import type { QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { EndpointId } from '#kernel/ids';
import type { Delivery } from '#webhooks';

/** BullMQ keeps `:` for itself: neither names nor ids may hold one. */
export const queueNameOf = (endpointId: EndpointId): string => `webhook-${endpointId}`;

/** Runs of FFmpeg that wait for a worker. */
export const RUN_QUEUE = 'transcode';
/** Networks that wait for a worker. */
export const NETWORK_QUEUE = 'networks';
/** What apps are to be told of their networks. */
export const CALLBACK_QUEUE = 'network-callbacks';

/** Programs that find the media of pages, likewise. */
export const RESOLVE_QUEUE = 'resolve';

/** The same event for the same endpoint is the same job. */
export const jobIdOf = ({ event, endpointId }: Delivery): string =>
  `${event.eventId}-${endpointId}`;

/** BullMQ's own log per queue, which nothing of ours reads. */
const BULL_EVENTS_MAX = 100;

export function queueOptions({
  redis,
  prefix,
}: {
  readonly redis: Redis;
  readonly prefix: string;
}) {
  return {
    connection: redis,
    prefix: `${prefix}:jobs`,
    streams: { events: { maxLen: BULL_EVENTS_MAX } },
  } satisfies QueueOptions;
}
