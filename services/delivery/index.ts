export { DashDelivery } from './dash/dash-delivery.ts';
export type { DashDeliveryOptions } from './dash/dash-delivery.ts';
export { readFolderPart } from './dash/viewer-manifest.ts';
export type { LiveDetection } from './live/detection.ts';
export { LiveDelivery } from './live/live-delivery.ts';
export type { ViewingEnd } from './live/viewing-end.ts';
export type {
  LiveDeliveryOptions,
  LiveTap,
  LiveViewing,
  WatchOutcome,
} from './live/live-delivery.ts';
export { LoopLag } from './live/loop-lag.ts';
export type { MediaInspection, MediaProbe } from './live/media-watch.ts';
export { SlateLibrary } from './live/slate-library.ts';
export type { SlateFiles, Slates } from './live/slate-library.ts';
export type { SlateMaker } from './live/slate-variants.ts';
export type { SlateSettings } from './live/slate-show.ts';
export type { LiveBuffering } from './live/spliced-relay.ts';
export type { StandbyMode } from './live/spare-keeper.ts';
export { createPlaylistClient } from './hls/playlists/fetch-playlist.ts';
export { PeekedResponse } from './hls/segment-answers/peeked-response.ts';
export { HlsOutput } from './hls/hls-output.ts';
export { PackagedDelivery } from './hls/packaged-delivery.ts';
export type { WalkMaker } from './hls/packaged-delivery.ts';
export { HlsDelivery } from './hls/hls-delivery.ts';
export type { HlsDeliveryOptions } from './hls/hls-delivery.ts';
export type * from './hls/hls-queries.ts';
export type { NumberStore, StoredNumbers } from './hls/playlists/number-store.ts';
export type { SegmentCounts } from './hls/segment-answers/segment-counts.ts';
export type { SegmentAnswer } from './hls/segment-answers/segment-delivery.ts';
export type { ByteRange, RangeCondition } from '#kernel/byte-range';
export type { FilePacing } from './vod/file-outlet.ts';
export type { FileRequest } from './vod/file-request.ts';
export type { VodOptions } from './vod/file-sources.ts';
export { VodDelivery } from './vod/vod-delivery.ts';
export type { VodBody, VodResponse } from './vod/vod-response.ts';
