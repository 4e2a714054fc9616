import type { ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Duplex, PassThrough } from 'node:stream';
import { Agent as HttpAgent } from '#kernel/node-http';
import { Deadline } from './deadline.ts';
import { dial, type DialOptions, localEnd } from './dial.ts';
import { guardOf, type Route, routeKey } from './egress-route.ts';
import { type GuardedAgents, guardedAgents } from './guarded-lookup.ts';

/** Ways whose connections are kept; the one that was used longest ago goes first. */
const MAX_ROUTES = 32;
/** Requests have deadlines of their own; this one ends what they have left behind. */
const DIAL_DEADLINE_MS = 30_000;

/** Agents for axios by the way that a request goes out: no connection of one is used for another. */
export class RoutedAgents {
  readonly #byRoute = new Map<string, GuardedAgents>();

  /** Under axios' names for them. */
  of(route: Route): GuardedAgents['agents'] {
    const key = keyOf(route);
    const known = this.#byRoute.get(key);
    const agents = known ?? agentsOf(route);
    this.#byRoute.delete(key);
    this.#byRoute.set(key, agents);
    this.#dropOldest();
    return agents.agents;
  }

  /** Closes all connections. Idempotent. */
  close(): void {
    for (const agents of this.#byRoute.values()) agents.close();
    this.#byRoute.clear();
  }

  #dropOldest(): void {
    const [oldest] = this.#byRoute.keys();
    if (this.#byRoute.size <= MAX_ROUTES || oldest === undefined) return;
    this.#byRoute.get(oldest)?.close();
    this.#byRoute.delete(oldest);
  }
}

/** The default way may lead to where a stream's own may not. */
const keyOf = (route: Route): string =>
  `${routeKey(route)} ${route.proxyPolicy.allowPrivate} ${route.guard.allowPrivate}`;

function agentsOf(route: Route): GuardedAgents {
  const { egress } = route;
  if (egress.kind === 'direct' || egress.kind === 'template') {
    const { localAddress } = egress;
    const from = localAddress === undefined ? {} : localEnd(localAddress);
    return guardedAgents(guardOf(route), from);
  }
  const way = { ...route, egress };
  const httpAgent = new DiallingAgent(way);
  const httpsAgent = new SecureDiallingAgent(way);
  const close = (): void => {
    httpAgent.destroy();
    httpsAgent.destroy();
  };
  return { agents: { httpAgent, httpsAgent }, close };
}

type Way = Omit<DialOptions, 'target'>;
type Connected = (error: Error | null, socket: Duplex) => void;

class DiallingAgent extends HttpAgent {
  readonly #way: Way;

  constructor(way: Way) {
    super({ keepAlive: true });
    this.#way = way;
  }

  override createConnection(options: ClientRequestArgs, connected?: Connected): undefined {
    void connect(this.#way, { options, isSecure: false }, connected);
  }
}

class SecureDiallingAgent extends HttpsAgent {
  readonly #way: Way;

  constructor(way: Way) {
    super({ keepAlive: true });
    this.#way = way;
  }

  override createConnection(options: ClientRequestArgs, connected?: Connected): undefined {
    void connect(this.#way, { options, isSecure: true }, connected);
  }
}

type Wanted = { readonly options: ClientRequestArgs; readonly isSecure: boolean };

/** Tells by the callback, as an agent expects it. */
async function connect(
  way: Way,
  { options, isSecure }: Wanted,
  connected: Connected | undefined,
): Promise<void> {
  const { host, port } = options;
  const bare = host?.startsWith('[') ? host.slice(1, -1) : host;
  const target = { isSecure, host: bare ?? '', port: Number(port ?? (isSecure ? 443 : 80)) };
  using deadline = new Deadline(DIAL_DEADLINE_MS, new AbortController().signal);
  try {
    const socket = await dial({ ...way, target }, deadline.signal);
    way.guard.meter?.opened(socket);
    connected?.(null, socket);
  } catch (error) {
    connected?.(error as Error, new PassThrough().destroy());
  }
}
