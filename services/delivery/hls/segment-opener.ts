import { MediaError, UpstreamError } from '#kernel/app-error';
import type { Target } from '#hls';
import type { Source } from '#streams';
import type {
  FetchAllowance,
  FetchPermit,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamTimeouts,
} from '#upstream';
import { PeekedResponse } from './peeked-response.ts';
import { PermittedResponse } from './permitted-response.ts';
import { isPageType, looksLikePage } from './resource-type.ts';

/** An AES-128 key is this long (RFC 8216 §4.3.2.4). */
export const KEY_BYTES = 16;

export type SegmentOpenerOptions = {
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  readonly allowance: FetchAllowance;
};

export type OpenRequest = {
  readonly target: Target;
  /** Value of `Range`; absent: the whole. */
  readonly range: string | undefined;
  readonly method?: 'GET' | 'HEAD';
  /** Its place at the provider, where it has one already; it is released with the answer. */
  readonly permit?: FetchPermit | undefined;
};

/** Opens resources that a playlist named, with the headers of its source and none of the viewer. */
export class SegmentOpener {
  readonly #options: SegmentOpenerOptions;

  constructor(options: SegmentOpenerOptions) {
    this.#options = options;
  }

  /**
   * Tries a second time at once when the connection fails. Any status is an answer.
   * @throws UpstreamError, and MediaError `UPSTREAM_WRONG_TYPE` for a page or a key of wrong length.
   */
  async open(source: Source, asked: OpenRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const { target, permit: taken } = asked;
    const permit = taken ?? (await this.#options.allowance.demand(target.url, signal));
    try {
      const response = await this.#ask(source, asked, signal);
      return new PermittedResponse(response, permit);
    } catch (error) {
      permit.release();
      throw error;
    }
  }

  async #ask(
    source: Source,
    { target, range, method = 'GET' }: OpenRequest,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const request: UpstreamRequest = {
      method,
      url: target.url,
      headers: { ...source.headers, ...(range === undefined ? {} : { Range: range }) },
      timeouts: this.#options.timeouts,
      keepsConnection: true,
    };
    const { upstream } = this.#options;
    const response = await upstream.open(request, signal).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof UpstreamError)) throw error;
      return upstream.open(request, signal);
    });
    return method === 'HEAD' ? response : inspect(response, target);
  }
}

/** Providers answer with 200 and a page, or with media and the type of a page: bytes decide. */
async function inspect(response: UpstreamResponse, target: Target): Promise<UpstreamResponse> {
  if (response.status >= 300) return response;
  if (target.kind === 'key' && hasWrongKeyLength(response)) throw refused(response);
  if (!isPageType(response.headers.get('content-type'))) return response;
  const peeked = new PeekedResponse(response);
  const head = await peeked.peek();
  if (looksLikePage(head)) throw refused(response);
  return peeked;
}

function hasWrongKeyLength({ status, headers }: UpstreamResponse): boolean {
  const length = headers.get('content-length');
  return status === 200 && length !== undefined && Number(length) !== KEY_BYTES;
}

function refused(response: UpstreamResponse): MediaError {
  response.close();
  return noMedia();
}

export const noMedia = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than media.',
  });
