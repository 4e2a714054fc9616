export { Relay } from './relay.ts';
export type { RelayInput, RelayOptions, ViewerSink } from './relay.ts';
