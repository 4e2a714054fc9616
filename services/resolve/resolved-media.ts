/** One address that a program has found. */
export type ResolvedInput = {
  readonly url: string;
  /** What the program would send. */
  readonly headers: Readonly<Record<string, string>>;
  readonly isPlaylist: boolean;
};

/** What a page plays: one input, or pictures and sound apart. */
export type ResolvedMedia = {
  readonly inputs: readonly ResolvedInput[];
  /** Undefined where the program does not know. */
  readonly isLive: boolean | undefined;
};

type Fields = Readonly<Record<string, unknown>>;

const MOST_INPUTS = 2;

/**
 * The media that yt-dlp has chosen, by its JSON; of a list of videos, the first. Undefined where it
 * is of a kind that cannot be read here.
 */
export function mediaOf(answer: unknown): ResolvedMedia | undefined {
  const page = firstEntry(fieldsOf(answer));
  const formats = Array.isArray(page['requested_formats'])
    ? page['requested_formats'].map(fieldsOf)
    : [page];
  const inputs = formats.map((format) => inputOf(format, page));
  const found = inputs.filter((input) => input !== undefined);
  if (found.length !== inputs.length || found.length > MOST_INPUTS) return undefined;
  if (formats.some(isUnpackable)) return undefined;
  const live = page['is_live'];
  return { inputs: found, isLive: typeof live === 'boolean' ? live : undefined };
}

function firstEntry(answer: Fields): Fields {
  const { entries } = answer;
  return Array.isArray(entries) ? fieldsOf(entries[0]) : answer;
}

/** A transport stream has no place for these. */
const isUnpackable = ({ vcodec }: Fields): boolean =>
  typeof vcodec === 'string' && /^(?:vp0?[89]|av0?1)\b/i.test(vcodec);

function inputOf(format: Fields, page: Fields): ResolvedInput | undefined {
  const { url } = format;
  const protocol = textOf(format['protocol']) ?? textOf(page['protocol']) ?? '';
  const isPlaylist = protocol.startsWith('m3u8');
  const isFile = protocol === '' || /^https?$/.test(protocol);
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || !(isPlaylist || isFile)) {
    return undefined;
  }
  return { url, headers: headersOf(url, format, page), isPlaylist };
}

function headersOf(url: string, format: Fields, page: Fields): Record<string, string> {
  const given = { ...fieldsOf(page['http_headers']), ...fieldsOf(format['http_headers']) };
  const entries = Object.entries(given).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && isHeader(entry),
  );
  const headers = Object.fromEntries(entries);
  const cookies = cookieHeader(format['cookies'] ?? page['cookies'], url);
  return cookies === '' ? headers : { ...headers, Cookie: cookies };
}

const isHeader = ([name, value]: readonly [string, unknown]): boolean =>
  /^[\w-]+$/.test(name) &&
  !/^(?:host|connection|accept-encoding|content-length|transfer-encoding)$/i.test(name) &&
  /^[\t\x20-\x7e\x80-\xff]*$/.test(String(value));

const ATTRIBUTE =
  /^(domain|path|secure|expires|version|port|httponly|discard|samesite)(?:=(.*))?$/i;

/**
 * yt-dlp writes cookies as `a=1; Domain=x; Path=/; b=2; …`. Those that say for whom they are go to
 * nobody else.
 */
function cookieHeader(cookies: unknown, url: string): string {
  if (typeof cookies !== 'string') return '';
  const found: { text: string; domain: string | undefined }[] = [];
  for (const part of cookies.split(';').map((text) => text.trim())) {
    const [, name, value = ''] = ATTRIBUTE.exec(part) ?? [];
    const last = found.at(-1);
    if (name === undefined && COOKIE.test(part)) found.push({ text: part, domain: undefined });
    else if (name?.toLowerCase() === 'domain' && last) last.domain = value.replaceAll('"', '');
  }
  const { hostname } = new URL(url);
  return found
    .filter(({ domain }) => domain === undefined || isWithin(hostname, domain))
    .map(({ text }) => text)
    .join('; ');
}

const COOKIE = /^[\x21-\x3c\x3e-\x7e]+=[\x21-\x7e]*$/;

function isWithin(hostname: string, domain: string): boolean {
  const bare = domain.replace(/^\./, '').toLowerCase();
  return hostname === bare || hostname.endsWith(`.${bare}`);
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
