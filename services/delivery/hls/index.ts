/** What other ways of delivery share with HLS: the door is for rooms of `delivery` only. */
export { createPlaylistClient, statusError } from './playlists/fetch-playlist.ts';
export type { HlsStream } from './playlists/hls-stream.ts';
export { KnownStreams } from './playlists/known-streams.ts';
export { SegmentDelivery } from './segment-answers/segment-delivery.ts';
export type { SegmentAnswer } from './segment-answers/segment-delivery.ts';
export { SegmentOpener } from './segment-answers/segment-opener.ts';
