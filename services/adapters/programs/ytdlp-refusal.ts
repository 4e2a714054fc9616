/** What yt-dlp writes, by what it means. Its own words have addresses and names in them. */
const MEANINGS: readonly (readonly [pattern: RegExp, message: string])[] = [
  [/unsupported url/i, 'yt-dlp does not know this kind of page.'],
  [/requested format is not available/i, 'The page has no such format.'],
  [/sign in|log ?in|cookies|members[- ]only|private/i, 'The page wants to be signed in to.'],
  [/not available in your|geo/i, 'The page is not for this country.'],
  [/http error 4(?:03|29)|too many requests/i, 'The site refuses this machine.'],
  [/not currently live|will begin|premieres/i, 'The page is not live now.'],
  [/unavailable|removed|does not exist|http error 404/i, 'The page has nothing to play.'],
  [/unable to (?:connect|download)|timed out|resolve/i, 'The site could not be reached.'],
];

/** Why it failed, in words of ours. @param log - What it wrote to standard error. */
export const refusalOf = (log: string): string =>
  MEANINGS.find(([pattern]) => pattern.test(log))?.[1] ?? 'yt-dlp could not make it out.';
