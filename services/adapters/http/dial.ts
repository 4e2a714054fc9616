import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { AppError, InvariantError } from '#kernel/app-error';
import type { AddressPolicy, ProxyEgress } from '#upstream';
import { asEgressFailure } from './egress-failure.ts';
import { type GuardOptions, guardedLookup, judgeFarHost, judgeHost } from './guarded-lookup.ts';
import { openTunnel } from './tunnel.ts';
import { toUpstreamFailure } from './upstream-failure.ts';

/** A viewer may pause for hours: a provider that has gone meanwhile is then noticed. */
export const KEEP_ALIVE_MS = 30_000;

export type DialOptions = {
  readonly target: { readonly isSecure: boolean; readonly host: string; readonly port: number };
  readonly egress: ProxyEgress;
  readonly guard: GuardOptions;
  /** Where the proxy may be: the operator's own may stand in the own network. */
  readonly proxyPolicy: AddressPolicy;
};

/**
 * A connection to a target through a proxy, TLS with the target included. Nothing is sent past the
 * proxy, whatever fails. Reads nothing of the target's yet.
 *
 * @throws UpstreamError `EGRESS_FAILED`, and what the target's own failures are; the signal's reason.
 * @throws InvalidInputError `UPSTREAM_TARGET_FORBIDDEN`
 */
export async function dial(options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const end = await endOf(options);
  signal.throwIfAborted();
  const proxy = connectToProxy(options);
  const cut = (): void => void proxy.destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await connected(proxy, isTls(options.egress)).catch(failEgress);
    await openTunnel(proxy, options.egress, end);
    return await secured(proxy, options);
  } catch (error) {
    proxy.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

/** What the proxy is told: the address that we judged, or a name that we cannot judge. */
async function endOf({ target, egress, guard }: DialOptions) {
  const { host, port } = target;
  const isLookedUpHere = egress.resolve === 'local' && isIP(host) === 0;
  const refusal = isLookedUpHere ? undefined : judgeFarHost(host, guard);
  if (refusal) throw refusal;
  return { host: isLookedUpHere ? await addressOf(host, guard) : host, port };
}

function addressOf(host: string, guard: AddressPolicy): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  guardedLookup(guard)(host, { family: 0 }, (error, address) => {
    if (error === null && typeof address === 'string') resolve(address);
    else reject(toUpstreamFailure(error));
  });
  return promise;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'socks5:': 1080,
  'socks5h:': 1080,
};

const isTls = ({ url }: ProxyEgress): boolean => /^https:/i.test(url);

function connectToProxy({ egress, guard, proxyPolicy }: DialOptions): Socket {
  const { protocol, hostname, port } = new URL(egress.url);
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const refusal = judgeHost(host, proxyPolicy);
  if (refusal) throw refusal;
  const options = {
    host,
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port),
    lookup: guardedLookup(proxyPolicy),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    ...localEnd(egress.localAddress),
  };
  if (!isTls(egress)) return connectTcp(options);
  return connectTls({ ...options, ...serverName(host), rejectUnauthorized: guard.verifyTls });
}

/** What a socket is told of the address that it is to come from. */
export const localEnd = (localAddress: string | undefined) =>
  localAddress === undefined
    ? { autoSelectFamily: true }
    : { localAddress, family: isIP(localAddress), autoSelectFamily: false };

const serverName = (host: string) => (isIP(host) === 0 ? { servername: host } : {});

async function connected(socket: Socket, isSecure: boolean): Promise<void> {
  try {
    await Promise.race([
      once(socket, isSecure ? 'secureConnect' : 'connect'),
      once(socket, 'close').then(() => Promise.reject(new Error('closed'))),
    ]);
  } catch (error) {
    throw toUpstreamFailure(error);
  } finally {
    // From now on somebody has to hear of it; until then nobody may throw for it.
    socket.on('error', () => {});
  }
}

function failEgress(error: unknown): never {
  throw error instanceof AppError ? asEgressFailure(error) : new InvariantError('Dialling', error);
}

async function secured(socket: Socket, { target, guard }: DialOptions): Promise<Socket> {
  if (!target.isSecure) return socket;
  const secure = connectTls({
    socket,
    ...serverName(target.host),
    rejectUnauthorized: guard.verifyTls,
    ALPNProtocols: ['http/1.1'],
  });
  await connected(secure, true);
  return secure;
}
