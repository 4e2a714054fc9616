export type * from './definition.ts';
export type {
  FailoverResolver,
  PeerViewer,
  PeerViewers,
  ResolverQuestion,
  StateChange,
  StateJournal,
  StreamStore,
  ViewerPasts,
} from './ports.ts';
export type { StreamMeter, SwitchCause } from './meter.ts';
export type * from './snapshots.ts';
export type { Removal, Streams } from './streams.ts';
export { mediaKindOf } from './media-kind.ts';
export { endedViewing } from './ended-viewing.ts';
export { StreamRegistry } from './stream-registry.ts';
export type { StreamRegistryOptions } from './stream-registry-options.ts';
export type * from './viewing.ts';
