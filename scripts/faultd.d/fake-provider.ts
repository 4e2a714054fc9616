import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.ts';
import { Accounts, type AccountsOptions } from './provider/accounts.ts';
import { Body } from './provider/body.ts';
import type { Disturbance } from './provider/disturbance.ts';
import { covers, FaultTable, type Place } from './provider/fault-table.ts';
import { takeFault, type ActiveFault, type Cut, type Fault } from './provider/faults.ts';
import { Ledger, type Recorded } from './provider/ledger.ts';
import { Listener } from './provider/listener.ts';
import { recordOf } from './provider/record.ts';
import type { Route } from './provider/routes.ts';
import { serve } from './provider/serve.ts';

export * from './provider/faults.ts';
export * from './provider/routes.ts';
export type { Disturbance } from './provider/disturbance.ts';
export type { Recorded } from './provider/ledger.ts';

export type Routes = Readonly<Record<string, Route>>;
export type ProviderOptions = {
  readonly certificate?: Certificate;
  /** 127.0.0.1 by default. */
  readonly address?: string;
  /** A free one by default. */
  readonly port?: number;
  /** Whose requests they are, and how many each may have open; anybody's by default. */
  readonly accounts?: AccountsOptions;
  /** Answers a request itself and says so, before anything is recorded. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

/**
 * An HTTP/1.1 origin on a free port of 127.0.0.1, with faults. Routes are data and may change while
 * it runs; so may faults, which meet the requests that come after they were set.
 */
export async function startFakeProvider(
  routes: Routes,
  options: ProviderOptions = {},
): Promise<FakeProvider> {
  const provider = new FakeProvider(routes, options);
  await provider.up();
  return provider;
}

export class FakeProvider implements AsyncDisposable {
  readonly #options: ProviderOptions;
  readonly #routes: Map<string, Route>;
  readonly #faults = new FaultTable();
  readonly #bodies = new Map<Body, Place>();
  readonly #ledger = new Ledger();
  readonly #accounts: Accounts | undefined;
  readonly #listener: Listener;
  readonly #startedAtMs = performance.now();

  constructor(routes: Routes, options: ProviderOptions = {}) {
    this.#routes = new Map(Object.entries(routes));
    this.#options = options;
    this.#accounts = options.accounts && new Accounts(options.accounts);
    this.#listener = new Listener(this.#ledger, {
      ...options,
      serve: (request, response) => void this.#serve(request, response),
    });
  }

  get requests(): readonly Recorded[] {
    return this.#ledger.requests;
  }

  get port(): number {
    return this.#listener.port;
  }

  url(path: string): string {
    const { certificate, address = '127.0.0.1' } = this.#options;
    return `${certificate ? 'https' : 'http'}://${address}:${this.port}${path}`;
  }

  setRoute(path: string, route: Route): void {
    this.#routes.set(path, route);
  }

  /** `path` is an address, a route that ends in `/`, or a beginning and `*`; the closest counts. */
  setFault(path: string, fault: Fault): void {
    this.#faults.set(path, fault);
  }

  clearFault(path: string): void {
    this.#faults.clear(path);
  }

  /**
   * Spoils the bytes of responses under way and to come, until the returned function is called.
   * `path` as in `setFault`; what is wrong in several ways is wrong in all of them.
   */
  disturb(path: string, disturbance: Disturbance): () => void {
    const undo = this.#faults.disturb(path, disturbance);
    this.#tellBodies();
    return () => {
      undo();
      this.#tellBodies();
    };
  }

  /** Breaks the responses that are being sent now, `path` as in `setFault`; returns how many. */
  cut(path: string, how: Cut): number {
    const meant = [...this.#bodies]
      .filter(([{ record }, place]) => record.open && covers(path, place))
      .map(([body]) => body);
    for (const body of meant) body.cut(how);
    return meant.length;
  }

  /** Resets every connection and refuses new ones, until `up`. */
  down(): Promise<void> {
    return this.#listener.down();
  }

  up(): Promise<void> {
    return this.#listener.up();
  }

  /** Requests for one address, below one folder, or `*`; oldest first. */
  requestsOf(path: string): readonly Recorded[] {
    return this.#ledger.of(path);
  }

  /** Responses that are being sent now. */
  open(path = '*'): number {
    return this.#ledger.open(path);
  }

  /** The most that were ever sent at once; of one address, or of all. */
  maxOpen(path = '*'): number {
    return this.#ledger.maxOpen(path);
  }

  get sockets(): number {
    return this.#ledger.sockets;
  }

  get maxSockets(): number {
    return this.#ledger.maxSockets;
  }

  /** All that was counted since the start: the total, each route, each account. */
  get counts(): Ledger['counts'] {
    return this.#ledger.counts;
  }

  /** Waits until a condition on this provider holds. @throws Error after `deadlineMs`. */
  until(condition: () => boolean, deadlineMs = 5_000): Promise<void> {
    return this.#ledger.until(condition, deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#options.intercept?.(request, response)) return;
    try {
      await this.#answer(await this.#record(request), response);
    } catch (error) {
      // Who left before the request was whole is no fault of ours.
      if (!request.destroyed || request.complete) console.error('The fake provider failed.', error);
      response.destroy();
    }
  }

  #record(request: IncomingMessage): Promise<Recorded> {
    const url = request.url ?? '/';
    const caller = this.#accounts?.identify(url) ?? {
      account: undefined,
      path: url.split('?')[0] ?? url,
    };
    return recordOf(request, { ...caller, socketId: this.#listener.idOf(request.socket) });
  }

  async #answer(record: Recorded, response: ServerResponse): Promise<void> {
    const place = { path: record.path, key: this.#routeKey(record.path) };
    const { fault, isRefused, faultSinceMs } = this.#admit(record, place);
    if (fault?.kind === 'not-http') return sayNonsense(response, record, this.#ledger);
    const body = new Body(response, record, { ledger: this.#ledger, fault });
    if (!isRefused) body.disturb(this.#faults.disturbancesOf(place));
    this.#bodies.set(body, place);
    const { key = '' } = place;
    const exchange = {
      route: this.#routes.get(key),
      rest: decodeURIComponent(record.path.slice(key.length)),
      fault,
      startedAtMs: this.#startedAtMs,
      faultSinceMs,
    };
    try {
      await serve(exchange, body);
    } finally {
      this.#bodies.delete(body);
    }
  }

  /** Writes the request down, with what it meets. */
  #admit(record: Recorded, place: Place) {
    const given = this.#faults.find(place);
    const refusal = this.#overLimit(record);
    const fault = refusal ?? this.#afterLimit(takeFault(given?.fault), place.key);
    const subjects = { source: place.key ?? '(no route)', account: record.account };
    if (refusal) this.#ledger.refuse(record, subjects);
    else this.#ledger.add(record, subjects);
    return { fault, isRefused: refusal !== undefined, faultSinceMs: given?.sinceMs ?? 0 };
  }

  #routeKey(path: string): string | undefined {
    if (this.#routes.has(path)) return path;
    return [...this.#routes.keys()]
      .filter((key) => key.endsWith('/') && path.startsWith(key))
      .toSorted((a, b) => b.length - a.length)[0];
  }

  #tellBodies(): void {
    for (const [body, place] of this.#bodies) body.disturb(this.#faults.disturbancesOf(place));
  }

  /** An account at its limit: refused, or at the cost of its oldest connection. */
  #overLimit(record: Recorded): ActiveFault | undefined {
    if (!this.#accounts) return undefined;
    const account = this.#accounts.members.get(record.account ?? '');
    const { strangers } = this.#accounts;
    if (!account) return strangers === undefined ? undefined : refusalWith(strangers);
    const holders = this.#ledger.holdersOf(record.account ?? '', account.releaseMs);
    if (holders.length < account.connections) return undefined;
    if (account.answer !== 'kill-oldest') return refusalWith(account.answer);
    this.#kill(holders.find(({ open }) => open));
    return undefined;
  }

  /** A full house is an answer of its own, or costs the oldest guest its place. */
  #afterLimit(fault: ActiveFault | undefined, key: string | undefined): ActiveFault | undefined {
    if (fault?.kind !== 'connection-limit') return fault;
    const isForAll = this.#faults.find({ path: '*', key: undefined })?.fault === fault;
    const scope = isForAll ? '*' : (key ?? '*');
    if (this.open(scope) < fault.limit) return undefined;
    if (fault.answer !== 'kill-oldest') return refusalWith(fault.answer);
    this.#kill(this.#ledger.of(scope).find((record) => record.open));
    return undefined;
  }

  #kill(oldest: Recorded | undefined): void {
    if (oldest) this.#ledger.kill(oldest);
    for (const body of this.#bodies.keys()) if (body.record === oldest) body.cut('reset');
  }
}

const refusalWith = (status: number): ActiveFault => ({ kind: 'status', status });

function sayNonsense(response: ServerResponse, record: Recorded, ledger: Ledger): void {
  ledger.ended(record, 'provider');
  response.socket?.end('\u0000\u0001garbage where a status line is due\r\n\r\n');
}

/** An address on 127.0.0.1 where nobody listens. */
export async function refusedUrl(path = '/'): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}${path}`;
}

/** An address whose name no resolver knows (RFC 6761 §6.4). */
export const unknownHostUrl = (path = '/'): string => `http://provider.invalid${path}`;
