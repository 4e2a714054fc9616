import { codeOf, UpstreamError } from '#kernel/app-error';
import { type Logger, silentLogger } from '#kernel/logger';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from '#upstream';
import { Exchange } from './exchange.ts';
import { type EgressOptions, type Route, routeOf, urlVia } from './egress-route.ts';
import { ReadBuffers } from './raw/read-buffers.ts';
import { type Hop, locationOf, nextHop } from './raw/redirect.ts';
import { requestHead, targetOf } from './raw/request-head.ts';
import type { ResponseHead } from './raw/response-head.ts';
import type { Wire } from './wire.ts';
import { WirePool } from './wire-pool.ts';

export type UpstreamClientOptions = EgressOptions & {
  /** Redirects followed per request; one more is a loop. */
  readonly maxRedirects: number;
  /** Read into by all clients that have it; each has its own when absent. */
  readonly buffers?: ReadBuffers;
  readonly logger?: Logger;
};

/**
 * An `UpstreamClient` on plain sockets, HTTP/1.1: a connection for each request, but for those that
 * say they keep theirs. `close` ends the ones that are kept.
 */
export function createUpstreamClient(
  options: UpstreamClientOptions,
): UpstreamClient & { close(): void } {
  const buffers = options.buffers ?? new ReadBuffers();
  const context = { options, buffers, pool: new WirePool() };
  return {
    open: (request, signal) => openFollowing(context, request, signal),
    close: () => context.pool.close(),
  };
}

type Context = {
  readonly options: UpstreamClientOptions;
  readonly buffers: ReadBuffers;
  readonly pool: WirePool;
};

async function openFollowing(
  context: Context,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const { maxRedirects, logger = silentLogger } = context.options;
  const visited = new Set<string>();
  const route = routeOf(request.headers, context.options);
  let hop = firstHop(request);
  while (visited.size <= maxRedirects && !visited.has(hop.url)) {
    signal.throwIfAborted();
    visited.add(hop.url);
    hop = { ...hop, url: urlVia(route, hop.url) };
    const { exchange, head } = await ask(context, { request, hop, route }, signal);
    const location = locationOf(head);
    if (location === undefined) {
      logger.debug('upstream answered', { status: head.status, redirects: visited.size - 1 });
      return response(exchange, head, hop.url);
    }
    exchange.discard();
    hop = nextHop(hop, location);
  }
  throw redirectLoop(visited.size);
}

/** What the user part of the first URL says holds for the whole of its origin. */
function firstHop({ url, headers }: UpstreamRequest): Hop {
  const { authorization } = targetOf(url);
  const isGiven = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (authorization === undefined || isGiven) return { url, headers };
  return { url, headers: { ...headers, Authorization: authorization } };
}

type Question = { readonly request: UpstreamRequest; readonly hop: Hop; readonly route: Route };
type Answered = { readonly exchange: Exchange; readonly head: ResponseHead };

/**
 * Asks once; a second time on a new connection where a kept one had been closed by its server, who
 * may do that at any time (RFC 9112 §9.3.1).
 */
async function ask(context: Context, question: Question, signal: AbortSignal): Promise<Answered> {
  const { request, hop, route } = question;
  const place = { target: targetOf(hop.url), route };
  const wire = request.keepsConnection ? context.pool.take(place) : undefined;
  const exchange = startExchange(context, question, wire);
  try {
    return { exchange, head: await exchange.answered(signal) };
  } catch (error) {
    if (!wire || signal.aborted || codeOf(error) !== 'UPSTREAM_RESET') throw error;
    const again = startExchange(context, question, undefined);
    return { exchange: again, head: await again.answered(signal) };
  }
}

function startExchange(
  { buffers, pool }: Context,
  { request, hop, route }: Question,
  wire: Wire | undefined,
): Exchange {
  const { method, timeouts, keepsConnection = false } = request;
  const target = targetOf(hop.url);
  return new Exchange({
    method,
    target,
    timeouts,
    requestHead: requestHead({ method, target, headers: hop.headers, keepsConnection }),
    route,
    buffers,
    wire,
    giveBack: keepsConnection ? (kept) => pool.give({ target, route }, kept) : undefined,
  });
}

const response = (exchange: Exchange, head: ResponseHead, finalUrl: string): UpstreamResponse => ({
  status: head.status,
  headers: head.headers,
  finalUrl,
  read: (sink) => exchange.read(sink),
  resume: () => exchange.resume(),
  close: () => exchange.close(),
});

const redirectLoop = (hops: number): UpstreamError =>
  new UpstreamError('UPSTREAM_REDIRECT_LOOP', {
    message: 'The provider redirects without end.',
    details: { hops },
  });
