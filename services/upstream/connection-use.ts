export const CONNECTION_USES = [
  'live',
  'file',
  'page',
  'network',
  'probe',
  'playlist',
  'segment',
  'ahead',
  'standby',
] as const;

/**
 * What a connection to a provider is for. `ahead` and `standby` are spare: a viewer comes before
 * them. The others are first come, first served.
 */
export type ConnectionUse = (typeof CONNECTION_USES)[number];

const BRIEF: ReadonlySet<ConnectionUse> = new Set(['playlist', 'segment', 'ahead', 'probe']);

/** It is over in a moment: who waits behind it has a turn soon. */
export const isBrief = (use: ConnectionUse): boolean => BRIEF.has(use);
