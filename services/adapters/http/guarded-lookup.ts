import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { InvalidInputError } from '#kernel/app-error';
import { Agent as HttpAgent } from '#kernel/node-http';
import { type AddressPolicy, judgeAddress } from '#upstream';
import type { ConnectionMeter } from './read-meter.ts';

export type GuardOptions = AddressPolicy & {
  /** Refuse certificates that do not verify. */
  readonly verifyTls: boolean;
  /** Hears of every connection; nobody, when absent. */
  readonly meter?: ConnectionMeter;
};

/** What a refused target looks like to callers; says no address, so that nothing can be probed. */
export const forbiddenTarget = (): InvalidInputError =>
  new InvalidInputError('UPSTREAM_TARGET_FORBIDDEN', {
    message: 'The address of this target may not be reached.',
  });

/**
 * A `lookup` for `net`, `tls` and agents that passes on only addresses that may be reached, so
 * that a name cannot lead where its address could not. Names with none left fail with
 * {@link forbiddenTarget}. Sockets do not call it for literal addresses: see {@link judgeHost}.
 */
export function guardedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const allowed = addresses.filter(({ address }) => isAllowed(address, policy));
      const [first] = allowed;
      if (first === undefined) return callback(forbiddenTarget(), '');
      answer(callback, { allowed, first, all: options.all === true });
    });
  };
}

type Answer = {
  readonly allowed: LookupAddress[];
  readonly first: LookupAddress;
  readonly all: boolean;
};

function answer(callback: Parameters<LookupFunction>[2], { allowed, first, all }: Answer): void {
  if (all) callback(null, allowed);
  else callback(null, first.address, first.family);
}

/**
 * The refusal for a host that is a literal address and may not be reached; nothing otherwise.
 *
 * @param host - As in a URL or in socket options: an IPv6 address may stand in brackets.
 */
export function judgeHost(host: string, policy: AddressPolicy): InvalidInputError | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(bare) === 0 || isAllowed(bare, policy) ? undefined : forbiddenTarget();
}

/** Names that lead to whoever looks them up, or to what its cloud tells about it. */
const OWN_NAME =
  /(?:^|\.)localhost\.?$|^(?:metadata(?:\.google\.internal)?|instance-data(?:\.ec2\.internal)?)\.?$/i;

/** As {@link judgeHost}, of a host that somebody else will look up for us. */
export function judgeFarHost(host: string, policy: AddressPolicy): InvalidInputError | undefined {
  return judgeHost(host, policy) ?? (OWN_NAME.test(host) ? forbiddenTarget() : undefined);
}

const isAllowed = (address: string, policy: AddressPolicy): boolean =>
  judgeAddress(address, policy) === 'allowed';

/** Agents under axios' names for them: `axios.create({ ...guarded.agents, proxy: false })`. */
export type GuardedAgents = {
  readonly agents: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };
  /** Closes idle and open sockets. Idempotent. */
  close(): void;
};

/** Of our own side, where it is to be a certain address. */
type LocalEnd = { readonly localAddress?: string; readonly family?: number };

/**
 * Keep-alive agents that connect only where the policy allows, on every hop of a redirect too.
 * A refused request fails with {@link forbiddenTarget}, in axios' errors somewhere down the chain
 * of causes: `toUpstreamFailure` finds it.
 * With axios, `proxy: false` keeps the environment's proxy from going round them.
 */
export function guardedAgents(options: GuardOptions, from: LocalEnd = {}): GuardedAgents {
  const lookup = guardedLookup(options);
  const httpAgent = new GuardedHttpAgent({ ...from, keepAlive: true, lookup }, options);
  const httpsAgent = new GuardedHttpsAgent(
    { ...from, keepAlive: true, lookup, rejectUnauthorized: options.verifyTls },
    options,
  );
  const close = (): void => {
    httpAgent.destroy();
    httpsAgent.destroy();
  };
  return { agents: { httpAgent, httpsAgent }, close };
}

type Connected = (error: Error | null, socket: Duplex) => void;

class GuardedHttpAgent extends HttpAgent {
  readonly #guard: GuardOptions;

  constructor(options: ConstructorParameters<typeof HttpAgent>[0], guard: GuardOptions) {
    super(options);
    this.#guard = guard;
  }

  override createConnection(options: ClientRequestArgs, connected?: Connected) {
    if (refuses(this.#guard, options, connected)) return undefined;
    return metered(this.#guard, super.createConnection(options, connected));
  }
}

class GuardedHttpsAgent extends HttpsAgent {
  readonly #guard: GuardOptions;

  constructor(options: ConstructorParameters<typeof HttpsAgent>[0], guard: GuardOptions) {
    super(options);
    this.#guard = guard;
  }

  override createConnection(options: ClientRequestArgs, connected?: Connected) {
    if (refuses(this.#guard, options, connected)) return undefined;
    return metered(this.#guard, super.createConnection(options, connected));
  }
}

function metered<T extends Duplex>({ meter }: GuardOptions, socket: T | null | undefined) {
  if (socket) meter?.opened(socket);
  return socket;
}

/** Tells by the callback, as an agent expects it: a throw would come out of `http.request`. */
function refuses(
  policy: AddressPolicy,
  { host }: ClientRequestArgs,
  connected: Connected | undefined,
): boolean {
  const refusal = judgeHost(host ?? '', policy);
  if (refusal === undefined) return false;
  connected?.(refusal, new PassThrough().destroy());
  return true;
}
