export { LiveDelivery } from './live/live-delivery.ts';
export type {
  LiveDeliveryOptions,
  LiveViewing,
  ViewingEnd,
  WatchOutcome,
} from './live/live-delivery.ts';
