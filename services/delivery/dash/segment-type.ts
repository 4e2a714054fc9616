const BY_ENDING: Readonly<Record<string, string>> = {
  m4s: 'video/iso.segment',
  cmfv: 'video/iso.segment',
  cmfa: 'video/iso.segment',
  cmft: 'video/iso.segment',
  mp4: 'video/mp4',
};

/** What HLS takes for granted where neither the source nor the bytes say anything. */
const HLS_DEFAULT = 'video/mp2t';

/** The headers of a resource, with the type that DASH has for its name. */
export function withDashType(
  headers: Readonly<Record<string, string>>,
  url: string,
): Readonly<Record<string, string>> {
  const said = headers['content-type'];
  if (said === undefined) return headers;
  const ending = /\.([a-z\d]+)$/i.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? '';
  const isGuess = said === HLS_DEFAULT && ending !== 'ts';
  const type = BY_ENDING[ending] ?? (isGuess ? 'application/octet-stream' : said);
  return { ...headers, 'content-type': type };
}
