import { UpstreamError } from '#kernel/app-error';
import type { Target } from '#hls';
import type { Source } from '#streams';
import type {
  TakenPlace,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamTimeouts,
} from '#upstream';
import { inspect } from './inspect-response.ts';

export type SegmentOpenerOptions = {
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
};

export type OpenRequest = {
  readonly target: Target;
  /** Value of `Range`; absent: the whole. */
  readonly range: string | undefined;
  readonly method?: 'GET' | 'HEAD';
  /** Its place at the provider, where it has one already; it is released with the answer. */
  readonly place?: TakenPlace | undefined;
};

/** Opens resources that a playlist named, with the headers of its source and none of the viewer. */
export class SegmentOpener {
  readonly #options: SegmentOpenerOptions;

  constructor(options: SegmentOpenerOptions) {
    this.#options = options;
  }

  /**
   * Tries a second time at once when the connection fails. Any status is an answer.
   * @throws UpstreamError, and MediaError `UPSTREAM_WRONG_TYPE` for a page, a playlist, or a key of
   *   wrong length.
   */
  async open(
    source: Source,
    { target, range, method = 'GET', place }: OpenRequest,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const request: UpstreamRequest = {
      method,
      url: target.url,
      headers: { ...source.headers, ...(range === undefined ? {} : { Range: range }) },
      timeouts: this.#options.timeouts,
      keepsConnection: true,
      use: 'segment',
      place,
    };
    const { upstream } = this.#options;
    const response = await upstream.open(request, signal).catch((error: unknown) => {
      const isFailure = error instanceof UpstreamError && error.code !== 'PROVIDER_AT_CAPACITY';
      if (signal.aborted || !isFailure) throw error;
      return upstream.open(request, signal);
    });
    if (method === 'HEAD') return response;
    const timeoutMs = this.#options.timeouts.headersMs;
    return inspect(response, { target, timeoutMs, signal });
  }
}
