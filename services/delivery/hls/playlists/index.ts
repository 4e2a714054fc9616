/** What the answers to segments ask of playlists: for `delivery/hls` only. */
export { statusError } from './fetch-playlist.ts';
export type { HlsStream } from './hls-stream.ts';
export { ENTRY_TRACK } from './track-key.ts';
export { placeKey } from './track-lists.ts';
export type { ListPlace } from './track-lists.ts';
