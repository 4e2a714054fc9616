export { HlsInput } from './hls-input.ts';
export type { ConvertedLists, HlsInputOptions } from './hls-input.ts';
export { FragmentPackager } from './fragment-packager.ts';
export { HEAD_BYTES, readHead } from './media-format.ts';
export type { MediaHead } from './media-format.ts';
export type { PackagerOptions } from './live-list.ts';
export { Packager } from './packager.ts';
export type { PackagedPart, Packaging, PartUrl } from './packaging.ts';
export type {
  FetchPlaylist,
  PackedFormat,
  PlaylistText,
  RemuxInput,
  RemuxRun,
  Remuxer,
} from './ports.ts';
