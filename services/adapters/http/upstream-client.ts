import { UpstreamError } from '#kernel/app-error';
import { type Logger, silentLogger } from '#kernel/logger';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from '#upstream';
import { Exchange } from './exchange.ts';
import type { GuardOptions } from './guarded-lookup.ts';
import { ReadBuffers } from './raw/read-buffers.ts';
import { type Hop, locationOf, nextHop } from './raw/redirect.ts';
import { requestHead, targetOf } from './raw/request-head.ts';
import type { ResponseHead } from './raw/response-head.ts';

export type UpstreamClientOptions = GuardOptions & {
  /** Redirects followed per request; one more is a loop. */
  readonly maxRedirects: number;
  /** Read into by all clients that have it; each has its own when absent. */
  readonly buffers?: ReadBuffers;
  readonly logger?: Logger;
};

/** An `UpstreamClient` on plain sockets: one connection per request, no pool, HTTP/1.1. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const context = { options, buffers: options.buffers ?? new ReadBuffers() };
  return { open: (request, signal) => openFollowing(context, request, signal) };
}

type Context = { readonly options: UpstreamClientOptions; readonly buffers: ReadBuffers };

async function openFollowing(
  { options, buffers }: Context,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const { maxRedirects, logger = silentLogger } = options;
  const visited = new Set<string>();
  let hop = firstHop(request);
  while (visited.size <= maxRedirects && !visited.has(hop.url)) {
    signal.throwIfAborted();
    visited.add(hop.url);
    const exchange = startExchange({ request, hop, guard: options, buffers });
    const head = await exchange.answered(signal);
    const location = locationOf(head);
    if (location === undefined) {
      logger.debug('upstream answered', { status: head.status, redirects: visited.size - 1 });
      return response(exchange, head, hop.url);
    }
    exchange.close();
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

type Start = {
  readonly request: UpstreamRequest;
  readonly hop: Hop;
  readonly guard: GuardOptions;
  readonly buffers: ReadBuffers;
};

function startExchange({ request, hop, guard, buffers }: Start): Exchange {
  const { method, timeouts } = request;
  const target = targetOf(hop.url);
  const head = requestHead({ method, target, headers: hop.headers });
  return new Exchange({ method, target, timeouts, requestHead: head, guard, buffers });
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
