import { isIP } from 'node:net';

/** The way that requests of a source take out of here. */
export type Egress =
  | { readonly kind: 'direct'; readonly localAddress?: string }
  | {
      readonly kind: 'http-connect' | 'socks5';
      /** `http://`, `https://`, `socks5://` or `socks5h://`, with credentials: a secret. */
      readonly url: string;
      /** Who looks the source's name up. */
      readonly resolve: 'local' | 'proxy';
      readonly localAddress?: string;
    }
  | {
      readonly kind: 'template';
      /** URL of the next hop with a place for the source's: may hold credentials. */
      readonly template: string;
      readonly localAddress?: string;
    };

export type ProxyEgress = Extract<Egress, { kind: 'http-connect' | 'socks5' }>;

const base64 = (url: string): string => Buffer.from(url).toString('base64');

const PLACES: Readonly<Record<string, (url: string) => string>> = {
  '{url}': (url) => url,
  '{url_encoded}': encodeURIComponent,
  '{b64}': (url) => base64(url).replaceAll('+', '-').replaceAll('/', '_'),
  '{b64_unpadded}': (url) => Buffer.from(url).toString('base64url'),
  '{b64_standard}': (url) => encodeURIComponent(base64(url)),
  '{ext}': extensionOf,
};

/** Where the source's URL stands. */
const PLACE = /\{(?:url|url_encoded|b64|b64_unpadded|b64_standard)\}/;
const ANY_PLACE = new RegExp(`${PLACE.source}|\\{ext\\}`, 'g');

/** How the path of a URL ends, in lower case; what does not say is a transport stream. */
function extensionOf(url: string): string {
  const ending = /\.([a-z0-9]{1,5})$/i.exec(URL.parse(url)?.pathname ?? '')?.[1];
  return ending?.toLowerCase() ?? 'ts';
}

/**
 * The next hop's URL for a source's. What leads to the next hop itself, as the links of a playlist
 * that it wrote, is left as it is.
 */
export function viaTemplate(template: string, url: string): string {
  if (originOf(url) === originOf(filled(template, 'http://a/'))) return url;
  return filled(template, url);
}

const filled = (template: string, url: string): string =>
  template.replaceAll(ANY_PLACE, (place) => PLACES[place]?.(url) ?? place);

const originOf = (url: string): string => URL.parse(url)?.origin ?? '';

/** Whether a text can be a template: an http or https URL, whatever the source's, with a place. */
export function isTemplate(text: string): boolean {
  if (text.length > MAX_LENGTH || !PLACE.test(text)) return false;
  const hop = URL.parse(filled(text, 'http://a/'));
  const other = URL.parse(filled(text, 'https://b/'));
  const isFixed = hop !== null && hop.origin === other?.origin;
  return isFixed && (hop.protocol === 'http:' || hop.protocol === 'https:') && !BLANK.test(text);
}

const MAX_LENGTH = 2048;
const BLANK = /[^\x21-\x7e]/;

const SCHEMES = {
  'http-connect': ['http:', 'https:'],
  socks5: ['socks5:', 'socks5h:'],
} as const satisfies Record<ProxyEgress['kind'], readonly string[]>;

/** SOCKS5 has a byte for the length of a user name, and one for that of a password. */
const MAX_CREDENTIAL_BYTES = 255;

/** Whether a text can be the URL of such a proxy: a host, and nothing behind it. */
export function isProxyUrl(kind: ProxyEgress['kind'], text: string): boolean {
  const url = text.length > MAX_LENGTH || BLANK.test(text) ? null : URL.parse(text);
  if (url === null || url.hostname === '') return false;
  const isBare = ['', '/'].includes(url.pathname) && url.search === '' && url.hash === '';
  const schemes: readonly string[] = SCHEMES[kind];
  return isBare && schemes.includes(url.protocol) && hasFittingCredentials(url);
}

const hasFittingCredentials = ({ username, password }: URL): boolean =>
  [username, password].every((text) => credential(text).length <= MAX_CREDENTIAL_BYTES);

/** The bytes that a user name or password of a URL stands for. */
export function credential(text: string): Buffer {
  try {
    return Buffer.from(decodeURIComponent(text), 'utf8');
  } catch {
    return Buffer.from(text, 'utf8'); // A lone `%` stands for itself.
  }
}

/** An egress written as one text: a template, or the URL of a proxy. */
export function egressFrom(text: string, localAddress: string | undefined): Egress | undefined {
  const from = localAddress === undefined ? {} : { localAddress };
  if (text === '') return localAddress === undefined ? undefined : { kind: 'direct', ...from };
  if (isTemplate(text)) return { kind: 'template', template: text, ...from };
  const kind = /^socks5h?:/i.test(text) ? 'socks5' : 'http-connect';
  if (!isProxyUrl(kind, text)) return undefined;
  return { kind, url: text, resolve: defaultResolve(text), ...from };
}

/** As curl has it: `socks5` is told addresses, `socks5h` and HTTP proxies are told names. */
export const defaultResolve = (url: string): ProxyEgress['resolve'] =>
  /^socks5:/i.test(url) ? 'local' : 'proxy';

/** Whether names of sources are looked up by a proxy, and not here. */
export const isNamedByProxy = (egress: Egress | null): boolean =>
  (egress?.kind === 'http-connect' || egress?.kind === 'socks5') && egress.resolve === 'proxy';

export const isLocalAddress = (text: string): boolean => isIP(text) !== 0;
