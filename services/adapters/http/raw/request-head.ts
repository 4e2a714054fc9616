import { InvalidInputError } from '#kernel/app-error';

/** Where one request goes. */
export type Target = {
  readonly isSecure: boolean;
  /** Name or address; no brackets round an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Value of `Host`. */
  readonly authority: string;
  /** Path and query as the URL has them. */
  readonly pathAndQuery: string;
  /** `Authorization` that the user part of the URL asks for. */
  readonly authorization: string | undefined;
};

/**
 * Reads a URL without writing it anew: providers sign paths and queries byte for byte.
 * @throws InvalidInputError `INPUT_INVALID` `UPSTREAM_TARGET_FORBIDDEN` (not http or https)
 */
export function targetOf(url: string): Target {
  if (!URL.canParse(url)) {
    throw new InvalidInputError('INPUT_INVALID', { message: 'The source is not a valid URL.' });
  }
  const { protocol, hostname, host, port, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new InvalidInputError('UPSTREAM_TARGET_FORBIDDEN', {
      message: 'Sources are reached by http and https only.',
    });
  }
  const isSecure = protocol === 'https:';
  return {
    isSecure,
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? defaultPort(isSecure) : Number(port),
    authority: host,
    pathAndQuery: pathAndQueryOf(url),
    authorization: username === '' ? undefined : basic(username, password),
  };
}

const defaultPort = (isSecure: boolean): number => (isSecure ? 443 : 80);

// The URL parser ends the authority at a backslash too, and drops blanks round the whole.
const AFTER_AUTHORITY = /^https?:[/\\]*[^/\\?#]*([^#]*)/i;
const NOT_ON_THE_WIRE = /[^\x21-\x7e]+/g;

function pathAndQueryOf(url: string): string {
  const written = AFTER_AUTHORITY.exec(url.trim())?.[1] ?? '';
  const sent = written.replaceAll(NOT_ON_THE_WIRE, percentEncoded);
  return `/${sent.replace(/^[/\\]/, '')}`;
}

const percentEncoded = (text: string): string =>
  Buffer.from(text, 'utf8').toString('hex').toUpperCase().replaceAll(/../g, '%$&');

function basic(username: string, password: string): string {
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone `%` stands for itself.
  }
}

export type RequestLine = {
  readonly method: 'GET' | 'HEAD';
  readonly target: Target;
  readonly headers: Readonly<Record<string, string>>;
  /** Another request may follow on the same connection. */
  readonly keepsConnection?: boolean;
};

/**
 * The bytes of a request up to its blank line.
 * @throws InvalidInputError `INPUT_INVALID` for a header that would not stay one header.
 */
export function requestHead({ method, target, headers, keepsConnection }: RequestLine): Buffer {
  const own = Object.entries(headers).filter(([name]) => !OURS.has(name.toLowerCase()));
  for (const [name, value] of own) assertHeader(name, value);
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const lines = [
    `${method} ${target.pathAndQuery} HTTP/1.1`,
    `Host: ${target.authority}`,
    ...(names.has('accept') ? [] : ['Accept: */*']),
    'Accept-Encoding: identity',
    ...(target.authorization === undefined || names.has('authorization')
      ? []
      : [`Authorization: ${target.authorization}`]),
    ...own.map(([name, value]) => `${name}: ${value}`),
    `Connection: ${keepsConnection ? 'keep-alive' : 'close'}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8');
}

/** Headers that describe this connection, not the source. */
const OURS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'accept-encoding',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'keep-alive',
  'proxy-connection',
]);

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const BREAKS_OUT = /[\r\n\0]/;

function assertHeader(name: string, value: string): void {
  if (TOKEN.test(name) && !BREAKS_OUT.test(value)) return;
  throw new InvalidInputError('INPUT_INVALID', {
    message: 'A header of the stream cannot be sent as it is.',
  });
}
