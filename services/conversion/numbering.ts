/** Numbers begin with the time in seconds, so that a later packager never goes back. */
const NUMBERS_SINCE_MS = Date.UTC(2024, 0, 1);
/**
 * Discontinuities are numbered from the hours: hls.js walks through all numbers from 0 up, at each
 * reload, and would take a second for as many as there are seconds.
 */
const HOUR_MS = 3_600_000;

/** Where the numbers of a packager begin that is made now. */
export function firstNumbers(nowMs: number, discontinuityBefore = -1) {
  const sinceMs = nowMs - NUMBERS_SINCE_MS;
  return {
    sequence: Math.floor(sinceMs / 1000),
    discontinuity: Math.max(Math.floor(sinceMs / HOUR_MS), discontinuityBefore + 1),
  };
}
