export { HlsInput } from './hls-input.ts';
export type { ConvertedLists, HlsInputOptions } from './hls-input.ts';
export type {
  FetchPlaylist,
  PackedFormat,
  PlaylistText,
  RemuxInput,
  RemuxRun,
  Remuxer,
} from './ports.ts';
