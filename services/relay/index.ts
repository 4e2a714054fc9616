export { DelayLine } from './delay-line.ts';
export { ReadAhead } from './read-ahead.ts';
export { Relay } from './relay.ts';
export { ThrottledSink } from './throttled-sink.ts';
export { TokenBucket } from './token-bucket.ts';
export type { RelayInput, RelayOptions, ViewerSink } from './relay.ts';
