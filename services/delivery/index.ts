export { LiveDelivery } from './live/live-delivery.ts';
export type {
  LiveDeliveryOptions,
  LiveViewing,
  ViewingEnd,
  WatchOutcome,
} from './live/live-delivery.ts';
export { HlsDelivery } from './hls/hls-delivery.ts';
export type {
  HlsDeliveryOptions,
  PlaylistAnswer,
  PlaylistQuery,
  SegmentQuery,
} from './hls/hls-delivery.ts';
export type { SegmentAnswer } from './hls/segment-delivery.ts';
