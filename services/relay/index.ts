export { Relay } from './relay.ts';
export type { RelayInput, ViewerSink } from './relay.ts';
