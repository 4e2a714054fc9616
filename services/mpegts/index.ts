export type { Codec, TrackKind } from './codec.ts';
export type { Program, Track } from './program.ts';
export { PACKET_BYTES } from './packet.ts';
export { PacketAligner, syncOffset } from './packet-aligner.ts';
export { Splicer } from './splicer.ts';
export type { SpliceStage } from './splicer.ts';
export { ahead27m } from './timestamps.ts';
export { TsAnalyser } from './ts-analyser.ts';
export type { TrackFacts, TsFacts } from './ts-analyser.ts';
