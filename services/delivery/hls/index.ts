/** What other ways of delivery share with HLS: the door is for rooms of `delivery` only. */
export { viewerSuffix } from './child-urls.ts';
export { createPlaylistClient, statusError } from './fetch-playlist.ts';
export type { HlsStream } from './hls-stream.ts';
export { KnownStreams } from './known-streams.ts';
export { OpenedHandles } from './opened-handles.ts';
export { startPatience } from './patience.ts';
export { Presence } from './presence.ts';
export { SegmentDelivery } from './segment-delivery.ts';
export type { SegmentAnswer } from './segment-delivery.ts';
export { SegmentOpener } from './segment-opener.ts';
export { SharedLoads } from './shared-loads.ts';
export { sourceTagOf } from './source-tag.ts';
export { viewingFailure } from './viewing-failure.ts';
