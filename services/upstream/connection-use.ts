/**
 * What a connection to a provider is for. `ahead` and `standby` are spare: a viewer comes before
 * them. The others are first come, first served.
 */
export type ConnectionUse =
  'live' | 'file' | 'page' | 'network' | 'probe' | 'playlist' | 'segment' | 'ahead' | 'standby';

const BRIEF: ReadonlySet<ConnectionUse> = new Set(['playlist', 'segment', 'ahead', 'probe']);

/** It is over in a moment: who waits behind it has a turn soon. */
export const isBrief = (use: ConnectionUse): boolean => BRIEF.has(use);
