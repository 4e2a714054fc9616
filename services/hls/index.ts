export { bestVariant, type BestVariant } from './best-variant.ts';
export { rewriteAssetList, type DocumentOptions } from './asset-list.ts';
export { Places, cutOf, filmOf, type Film } from './film.ts';
export { createHandleCodec, type HandleCodec, type Target } from './segment-handle.ts';
export { isHls, isPlaylist, looksLikeMedia, withoutBom } from './is-playlist.ts';
export { listsPosition, lowLatencyOf } from './low-latency.ts';
export type { DeltaFacts, LowLatencyFacts, ReloadPosition } from './low-latency.ts';
export { withoutLowLatency } from './plain-playlist.ts';
export { ivOfSequence, readMediaList } from './media-list.ts';
export type {
  ByteSpan,
  ListedKey,
  ListedResource,
  ListedSegment,
  MediaList,
} from './media-list.ts';
export { parsePlaylist, type PlaylistFacts } from './parse-playlist.ts';
export { pathwayTarget, viaPathway } from './pathway.ts';
export { windowOf } from './playlist-window.ts';
export type { TextEncoding } from './resolve-reference.ts';
export { rewriteLongPlaylist, rewritePlaylist, tracksOf } from './rewrite-playlist.ts';
export type { Reference } from './rewrite-playlist.ts';
export { rewriteSteeringManifest } from './steering-manifest.ts';
export { stepTrack, type ShownTrack } from './splice-plan.ts';
export { splicePlaylist } from './splice-playlist.ts';
export { closestTrack, type Track, type TrackUrl } from './track.ts';
export type { ResourceKind } from './uri-tags.ts';
export type { Variables } from './variables.ts';
