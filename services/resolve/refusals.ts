import type { ResolveFailure } from './job.ts';

/** What the programs write, by what it means; the first that fits counts. */
const MEANINGS: readonly (readonly [ResolveFailure, RegExp])[] = [
  ['unsupported', /unsupported url|no plugin can handle/i],
  ['format', /requested format is not available|specified stream\(s\).*could not be found/i],
  ['login', /sign in|log ?in|cookies|members[- ]only|private|subscri|40[17] client error|401/i],
  ['country', /not available in your|geo[- ]?(?:block|restrict)|country/i],
  ['refused', /403|429|too many requests|forbidden/i],
  [
    'no_media',
    /no playable streams|not currently live|will begin|premieres|offline|unavailable|removed|does not exist|404|found nothing/i,
  ],
  [
    'unreachable',
    /unable to (?:connect|download|open)|timed? ?out|resolve|refused|max retries|connection/i,
  ],
];

/** Why a resolver failed. @param log - What it wrote to standard error: full of addresses. */
export const failureIn = (log: string): ResolveFailure =>
  MEANINGS.find(([, pattern]) => pattern.test(log))?.[0] ?? 'crashed';
