export type Cookie = { readonly name: string; readonly value: string };

const LINE =
  /^[^\t]+\t(?:TRUE|FALSE)\t[^\t]*\t(?:TRUE|FALSE)\t-?\d*(?:\.\d+)?\t[^\t]+(?:\t[^\t]*)?$/i;
const HTTP_ONLY = '#HttpOnly_';

const isCookieLine = (line: string): boolean =>
  line.trim() !== '' && (line.startsWith(HTTP_ONLY) || !line.startsWith('#'));

const linesOf = (text: string): readonly string[] => text.split(/\r?\n/).filter(isCookieLine);

/** Whether a text is one of a cookies file, in Netscape's format. */
export const isCookiesText = (text: string): boolean =>
  linesOf(text).every((line) => LINE.test(line));

/** The cookies of a file's text that are for this address, as a browser would send them. */
export const cookiesFor = (text: string, url: string): readonly Cookie[] =>
  linesOf(text)
    .map(entryOf)
    .filter((entry) => entry.name !== '' && isFor(entry, new URL(url)))
    .map(({ name, value }) => ({ name, value }));

const isTrue = (word: string): boolean => word.toLowerCase() === 'true';

function entryOf(line: string) {
  const bare = line.startsWith(HTTP_ONLY) ? line.slice(HTTP_ONLY.length) : line;
  const [domain = '', subdomains = '', path = '', secure = '', , name = '', value = ''] =
    bare.split('\t');
  return {
    domain: domain.replace(/^\./, '').toLowerCase(),
    hasSubdomains: isTrue(subdomains),
    path,
    isSecure: isTrue(secure),
    name,
    value,
  };
}

function isFor(
  { domain, hasSubdomains, path, isSecure }: ReturnType<typeof entryOf>,
  { hostname, pathname, protocol }: URL,
): boolean {
  const isWithin = hostname === domain || (hasSubdomains && hostname.endsWith(`.${domain}`));
  const isMeant = domain !== '' && isWithin && pathname.startsWith(path);
  return isMeant && (protocol === 'https:' || !isSecure);
}
