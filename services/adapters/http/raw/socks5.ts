import { isIP, isIPv6 } from 'node:net';

/** Messages of SOCKS version 5 (RFC 1928) and of its user names and passwords (RFC 1929). */
const VERSION = 5;
const NO_AUTHENTICATION = 0;
const PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;
const [IPV4, NAME, IPV6] = [1, 3, 4] as const;
const PASSWORD_VERSION = 1;

export type SocksCredentials = { readonly user: Buffer; readonly password: Buffer };

/** Which methods we offer: with credentials both, as many servers that want none refuse those. */
export const greeting = (credentials: SocksCredentials | undefined): Buffer =>
  credentials === undefined
    ? Buffer.from([VERSION, 1, NO_AUTHENTICATION])
    : Buffer.from([VERSION, 2, NO_AUTHENTICATION, PASSWORD]);

/** What the server chose. */
export function chosenMethod(reply: Buffer): 'none' | 'password' | 'refused' | 'nonsense' {
  if (reply[0] !== VERSION) return 'nonsense';
  if (reply[1] === NO_METHOD) return 'refused';
  if (reply[1] === NO_AUTHENTICATION) return 'none';
  return reply[1] === PASSWORD ? 'password' : 'nonsense';
}

export const passwordRequest = ({ user, password }: SocksCredentials): Buffer =>
  Buffer.concat([
    Buffer.from([PASSWORD_VERSION, user.length]),
    user,
    Buffer.from([password.length]),
    password,
  ]);

export const isPasswordRight = (reply: Buffer): boolean => reply[1] === 0;

/** @param host - An address, or a name of at most 255 bytes, which the server looks up. */
export function connectRequest(host: string, port: number): Buffer {
  const head = Buffer.from([VERSION, CONNECT, 0]);
  return Buffer.concat([head, addressOf(host), Buffer.from([port >> 8, port & 0xff])]);
}

function addressOf(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from([IPV4, ...host.split('.').map(Number)]);
  if (isIPv6(host)) return Buffer.concat([Buffer.from([IPV6]), ipv6Bytes(host)]);
  const name = Buffer.from(host, 'latin1');
  return Buffer.concat([Buffer.from([NAME, name.length]), name]);
}

/** The URL parser writes an embedded IPv4 address in hexadecimal. */
function ipv6Bytes(address: string): Buffer {
  const bare = new URL(`http://[${address.split('%', 1)[0] ?? ''}]/`).hostname.slice(1, -1);
  const [head = '', tail = ''] = bare.split('::', 2);
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const gap = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const hex = [...first, ...gap, ...last].map((group) => group.padStart(4, '0')).join('');
  return Buffer.from(hex, 'hex');
}

const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));

/** How many bytes there are in an answer whose first five these are. */
export function replyLength(start: Buffer): number {
  const [, , , kind, first = 0] = start;
  if (kind === NAME) return 5 + first + 2;
  return kind === IPV6 ? 4 + 16 + 2 : 4 + 4 + 2;
}

/** Said by the proxy of the source: no network, no host, refused, no hop left. */
const OF_THE_SOURCE: ReadonlySet<number> = new Set([3, 4, 5, 6]);

export function connectOutcome(reply: Buffer): 'connected' | 'source' | 'refused' | 'nonsense' {
  const [version, status = 1] = reply;
  if (version !== VERSION) return 'nonsense';
  if (status === 0) return 'connected';
  return OF_THE_SOURCE.has(status) ? 'source' : 'refused';
}
