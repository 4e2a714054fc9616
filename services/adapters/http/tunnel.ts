import { once } from 'node:events';
import type { Socket } from 'node:net';
import { UpstreamError } from '#kernel/app-error';
import { credential } from '#upstream';
import type { ProxyEgress } from '#upstream';
import { egressFailed } from './egress-failure.ts';
import {
  chosenMethod,
  connectOutcome,
  connectRequest,
  greeting,
  isPasswordRight,
  passwordRequest,
  replyLength,
} from './raw/socks5.ts';
import type { SocksCredentials } from './raw/socks5.ts';

/** Where a proxy is to connect to. */
export type TunnelEnd = { readonly host: string; readonly port: number };

/**
 * Asks a proxy, over a connection to it, for a way to the source.
 * @throws UpstreamError `EGRESS_FAILED`; `UPSTREAM_REFUSED` when the proxy cannot reach the source.
 */
export function openTunnel(socket: Socket, egress: ProxyEgress, end: TunnelEnd): Promise<void> {
  const credentials = credentialsOf(egress.url);
  return egress.kind === 'socks5'
    ? viaSocks(socket, credentials, end)
    : viaConnect(socket, credentials, end);
}

function credentialsOf(url: string): SocksCredentials | undefined {
  const { username, password } = new URL(url);
  if (username === '') return undefined;
  return { user: credential(username), password: credential(password) };
}

async function viaSocks(
  socket: Socket,
  credentials: SocksCredentials | undefined,
  { host, port }: TunnelEnd,
): Promise<void> {
  socket.write(greeting(credentials));
  const method = chosenMethod(await read(socket, 2));
  if (method === 'nonsense') throw egressFailed('protocol');
  if (method === 'refused') throw egressFailed('auth');
  if (method === 'password') await authenticate(socket, credentials);
  socket.write(connectRequest(host, port));
  const start = await read(socket, 5);
  await read(socket, replyLength(start) - start.length);
  const outcome = connectOutcome(start);
  if (outcome === 'source') throw sourceUnreachable();
  if (outcome !== 'connected') throw egressFailed(outcome === 'refused' ? 'refused' : 'protocol');
}

async function authenticate(
  socket: Socket,
  credentials: SocksCredentials | undefined,
): Promise<void> {
  if (credentials === undefined) throw egressFailed('auth');
  socket.write(passwordRequest(credentials));
  if (!isPasswordRight(await read(socket, 2))) throw egressFailed('auth');
}

/** What gateways say of the other side (RFC 9110 §15.6). */
const OF_THE_SOURCE: ReadonlySet<number> = new Set([502, 503, 504]);

async function viaConnect(
  socket: Socket,
  credentials: SocksCredentials | undefined,
  { host, port }: TunnelEnd,
): Promise<void> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (credentials) lines.push(`Proxy-Authorization: Basic ${basic(credentials)}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const status = Number(/^HTTP\/1\.\d +(\d{3})/.exec(await readHead(socket))?.[1] ?? 0);
  if (status >= 200 && status < 300) return;
  if (status === 407) throw egressFailed('auth');
  if (OF_THE_SOURCE.has(status)) throw sourceUnreachable();
  throw egressFailed(status === 0 ? 'protocol' : 'refused');
}

const basic = ({ user, password }: SocksCredentials): string =>
  Buffer.concat([user, Buffer.from(':'), password]).toString('base64');

const sourceUnreachable = (): UpstreamError =>
  new UpstreamError('UPSTREAM_REFUSED', {
    message: 'The provider could not be reached through the egress.',
    details: { reason: 'egress' },
  });

const MAX_HEAD_BYTES = 16 * 1024;
const END_OF_HEAD = '\r\n\r\n';

/** Byte by byte, so that nothing behind it is taken: a few hundred, once per connection. */
async function readHead(socket: Socket): Promise<string> {
  let head = '';
  while (!head.endsWith(END_OF_HEAD)) {
    if (head.length === MAX_HEAD_BYTES) throw egressFailed('protocol');
    head += (await read(socket, 1)).toString('latin1');
  }
  return head;
}

/** So many bytes, and none beyond them. */
async function read(socket: Socket, size: number): Promise<Buffer> {
  if (size === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes = socket.read(size) as Buffer | null;
    if (bytes?.length === size) return bytes;
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw egressFailed('protocol');
    await moreOf(socket);
  }
}

async function moreOf(socket: Socket): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const quiet = (event: string): Promise<unknown> => once(socket, event, { signal });
  try {
    await Promise.race(['readable', 'end', 'close'].map(quiet));
  } catch (error) {
    throw egressFailed('unreachable', error);
  } finally {
    settled.abort();
  }
}
