export { HlsInput } from './hls-input.ts';
export type { ConvertedLists, HlsInputOptions } from './hls-input.ts';
export { Packager } from './packager.ts';
export type { PackagerOptions } from './packager.ts';
export type { KeptSegment } from './segment-window.ts';
export type {
  FetchPlaylist,
  PackedFormat,
  PlaylistText,
  RemuxInput,
  RemuxRun,
  Remuxer,
} from './ports.ts';
