export { PacketAligner, syncOffset } from './packet-aligner.ts';
export { Relay } from './relay.ts';
export type { ViewerSink } from './relay.ts';
