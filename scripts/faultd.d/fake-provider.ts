import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.ts';
import { Body } from './provider/body.ts';
import { takeFault, type Cut, type Fault } from './provider/faults.ts';
import { Ledger, type Recorded } from './provider/ledger.ts';
import { Listener } from './provider/listener.ts';
import type { Route } from './provider/routes.ts';
import { serve } from './provider/serve.ts';

export * from './provider/faults.ts';
export * from './provider/routes.ts';
export type { Recorded } from './provider/ledger.ts';

export type Routes = Readonly<Record<string, Route>>;
export type ProviderOptions = { readonly certificate?: Certificate };

const MOST_BODY_BYTES = 1024 * 1024;

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
  readonly #routes: Map<string, Route>;
  readonly #faults = new Map<string, { readonly fault: Fault; readonly sinceMs: number }>();
  readonly #bodies = new Set<Body>();
  readonly #ledger = new Ledger();
  readonly #listener: Listener;
  readonly #startedAtMs = performance.now();
  readonly #scheme: string;

  constructor(routes: Routes, { certificate }: ProviderOptions) {
    this.#routes = new Map(Object.entries(routes));
    this.#scheme = certificate ? 'https' : 'http';
    this.#listener = new Listener(this.#ledger, {
      ...(certificate ? { certificate } : {}),
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
    return `${this.#scheme}://127.0.0.1:${this.port}${path}`;
  }

  setRoute(path: string, route: Route): void {
    this.#routes.set(path, route);
  }

  /** `path` is an address, a route that ends in `/`, or a beginning and `*`; the closest counts. */
  setFault(path: string, fault: Fault): void {
    this.#faults.set(path, { fault, sinceMs: performance.now() });
  }

  clearFault(path: string): void {
    this.#faults.delete(path);
  }

  /** Breaks the responses that are being sent now; returns how many. */
  cut(path: string, how: Cut): number {
    const open = this.#ledger.of(path).filter((record) => record.open);
    const bodies = [...this.#bodies].filter((body) => open.includes(body.record));
    for (const body of bodies) body.cut(how);
    return bodies.length;
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

  /** Waits until a condition on this provider holds. @throws Error after `deadlineMs`. */
  until(condition: () => boolean, deadlineMs = 5_000): Promise<void> {
    return this.#ledger.until(condition, deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = await this.#record(request);
    const key = this.#routeKey(record.path);
    const given = this.#faultFor(record.path, key);
    const fault = this.#afterLimit(takeFault(given?.fault), key);
    this.#ledger.add(record);
    if (fault?.kind === 'not-http') return sayNonsense(response, record);
    const body = new Body(response, record, { ledger: this.#ledger, fault });
    this.#bodies.add(body);
    const exchange = {
      route: this.#routes.get(key ?? ''),
      rest: decodeURIComponent(record.path.slice(key?.length ?? 0)),
      fault,
      startedAtMs: this.#startedAtMs,
      faultSinceMs: given?.sinceMs ?? 0,
    };
    try {
      await serve(exchange, body);
    } catch (error) {
      console.error('The fake provider failed.', error);
      response.destroy();
    } finally {
      this.#bodies.delete(body);
    }
  }

  async #record(request: IncomingMessage): Promise<Recorded> {
    const url = request.url ?? '/';
    return {
      method: request.method ?? 'GET',
      path: url.split('?')[0] ?? url,
      url,
      headers: request.headers,
      body: await readBody(request),
      atMs: performance.now(),
      socketId: this.#listener.idOf(request.socket),
      status: 0,
      sentBytes: 0,
      open: true,
      endedBy: undefined,
    };
  }

  #routeKey(path: string): string | undefined {
    if (this.#routes.has(path)) return path;
    return [...this.#routes.keys()]
      .filter((key) => key.endsWith('/') && path.startsWith(key))
      .toSorted((a, b) => b.length - a.length)[0];
  }

  #faultFor(path: string, key: string | undefined) {
    const exact = this.#faults.get(path);
    const beginnings = [...this.#faults.keys()]
      .filter((pattern) => pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
      .toSorted((a, b) => b.length - a.length);
    return exact ?? this.#faults.get(key ?? '') ?? this.#faults.get(beginnings[0] ?? '');
  }

  /** A full house is an answer of its own, or costs the oldest guest its place. */
  #afterLimit(fault: ReturnType<typeof takeFault>, key: string | undefined) {
    if (fault?.kind !== 'connection-limit') return fault;
    const scope = this.#faults.get('*')?.fault.kind === 'connection-limit' ? '*' : (key ?? '*');
    if (this.open(scope) < fault.limit) return undefined;
    if (fault.answer !== 'kill-oldest') return { kind: 'status' as const, status: fault.answer };
    const oldest = this.#ledger.of(scope).find((record) => record.open);
    for (const body of this.#bodies) if (body.record === oldest) body.cut('reset');
    return undefined;
  }
}

function sayNonsense(response: ServerResponse, record: Recorded): void {
  record.open = false;
  record.endedBy = 'provider';
  response.socket?.end('\u0000\u0001garbage where a status line is due\r\n\r\n');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BODY_BYTES) throw new Error('A request body above 1 MiB.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
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
