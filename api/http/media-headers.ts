/** For responses to players: any page may read them, nobody's credentials travel with them. */
export const PLAYBACK_CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Expose-Headers': '*',
} as const;

/** Live bytes are never the same twice. */
export const NEVER_STORED = {
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
} as const;
