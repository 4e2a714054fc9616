import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { FetchedText, TextClient, Validators } from '#upstream';
import { axiosWhenAsked } from './axios-when-asked.ts';
import { RoutedAgents } from './routed-agents.ts';
import { failureVia, routeOf, urlVia } from './egress-route.ts';
import type { EgressOptions, Route } from './egress-route.ts';
import { toUpstreamFailure } from './upstream-failure.ts';

export type TextClientOptions = EgressOptions & {
  /** Redirects followed per request. */
  readonly maxRedirects: number;
};

type TextRequest = Parameters<TextClient['get']>[0];

/** Fetches playlists with axios, over connections that are kept; `close` ends those. */
export function createTextClient(options: TextClientOptions): TextClient & { close(): void } {
  const agents = new RoutedAgents();
  const http = axiosWhenAsked({
    // The environment's proxy would lead round the address guard.
    proxy: false,
    responseType: 'stream',
    maxRedirects: options.maxRedirects,
    validateStatus: () => true,
  });
  return {
    close: () => agents.close(),
    async get(request, signal) {
      signal.throwIfAborted();
      const deadline = AbortSignal.timeout(request.timeoutMs);
      const limits = AbortSignal.any([signal, deadline]);
      const route = routeOf(request.headers, options);
      try {
        const via = { ...agents.of(route), ...redirectsVia(route) };
        const url = urlVia(route, request.url);
        const client = await http();
        const response = await open(
          (config) => client.get(url, { ...via, ...config }),
          request,
          limits,
        );
        return await receive(response, request);
      } catch (error) {
        signal.throwIfAborted();
        throw deadline.aborted ? tooLate() : failureVia(route, toUpstreamFailure(error));
      }
    },
  };
}

type Response = AxiosResponse<Readable>;

/** What leads away from a next hop goes by it all the same. */
const redirectsVia = (route: Route): Pick<AxiosRequestConfig, 'beforeRedirect'> =>
  route.egress.kind !== 'template'
    ? {}
    : {
        beforeRedirect(options: { href?: string }) {
          const { href = '' } = options;
          Object.assign(options, urlToHttpOptions(new URL(urlVia(route, href))));
        },
      };

/**
 * Sends the request; once more when the connection broke before any answer, since a kept one may
 * close just when it is used again.
 */
async function open(
  ask: (config: AxiosRequestConfig) => Promise<Response>,
  request: TextRequest,
  signal: AbortSignal,
): Promise<Response> {
  const send = (): Promise<Response> =>
    ask({
      headers: {
        Accept: '*/*',
        'Accept-Encoding': 'gzip, deflate, br',
        ...request.headers,
        ...conditionOf(request.validators ?? {}),
      },
      signal,
    });
  try {
    return await send();
  } catch (error) {
    if (signal.aborted || !isReset(error)) throw error;
    return send();
  }
}

const isReset = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNRESET';

const conditionOf = ({ etag, lastModified }: Validators): Record<string, string> => ({
  ...(etag === undefined ? {} : { 'If-None-Match': etag }),
  ...(lastModified === undefined ? {} : { 'If-Modified-Since': lastModified }),
});

async function receive(response: Response, request: TextRequest): Promise<FetchedText> {
  const { status, headers, data } = response;
  const said = (name: string): string | undefined => {
    const value: unknown = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const [etag, lastModified] = [said('etag'), said('last-modified')];
  const isWanted = status >= 200 && status <= 299;
  const bytes = isWanted ? await readWithin(data, request) : discarded(data);
  return {
    status,
    finalUrl: finalUrlOf(response) ?? request.url,
    contentType: said('content-type'),
    isSized: said('content-length') !== undefined,
    validators: {
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    },
    ...decode(bytes),
  };
}

function discarded(body: Readable): Buffer {
  body.destroy();
  return Buffer.alloc(0);
}

function finalUrlOf(response: Response): string | undefined {
  const request = response.request as { res?: { responseUrl?: unknown } } | undefined;
  const url = request?.res?.responseUrl;
  return typeof url === 'string' ? url : undefined;
}

/** Leaving the loop, by whatever way, destroys the body and with it the connection. */
async function readWithin(body: Readable, request: TextRequest): Promise<Buffer> {
  const opening = new Opening(request.opening ?? '');
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > request.maxBytes) throw tooLarge(request.maxBytes);
      if (!opening.allows(chunk)) break;
    }
  } catch (error) {
    throw toBodyFailure(error);
  }
  return Buffer.concat(chunks);
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Tells from the first bytes of a body whether it begins as it must. */
class Opening {
  readonly #wanted: readonly Buffer[];
  #head = Buffer.alloc(0);

  constructor(text: string) {
    const plain = Buffer.from(text);
    this.#wanted = [plain, Buffer.concat([BOM, plain])];
  }

  /** False as soon as no more bytes could make it right. */
  allows(chunk: Buffer): boolean {
    const longest = Math.max(...this.#wanted.map(({ length }) => length));
    if (this.#head.length >= longest) return true;
    this.#head = Buffer.concat([this.#head, chunk.subarray(0, longest)]);
    return this.#wanted.some((wanted) => {
      const length = Math.min(wanted.length, this.#head.length);
      return this.#head.subarray(0, length).equals(wanted.subarray(0, length));
    });
  }
}

function decode(bytes: Buffer): Pick<FetchedText, 'text' | 'encoding'> {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  return { text: bytes.toString(encoding), encoding };
}

const tooLate = (): AppError =>
  new UpstreamError('UPSTREAM_TIMEOUT', { message: 'The provider did not answer in time.' });

const tooLarge = (maxBytes: number): AppError =>
  new MediaError('PLAYLIST_TOO_LARGE', {
    message: 'The playlist is larger than allowed.',
    details: { maxBytes },
  });

/** Once a body has begun, a broken connection means that a part of it is missing. */
function toBodyFailure(error: unknown): AppError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'Z_BUF_ERROR') {
    return new UpstreamError('UPSTREAM_TRUNCATED', {
      message: 'The provider broke off in the middle of the playlist.',
      cause: error,
    });
  }
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return new UpstreamError('UPSTREAM_PROTOCOL', {
      message: 'The provider sent a body that cannot be decompressed.',
      cause: error,
    });
  }
  return toUpstreamFailure(error);
}
