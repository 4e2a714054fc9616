import { UpstreamError } from '#kernel/app-error';
import type { Target } from '#hls';
import type { Source } from '#streams';
import type { UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';
import { inspect } from './inspect-response.ts';

/** The part of a resource that a player asked for, in its own words. */
export type RangeHeaders = { readonly range?: string; readonly ifRange?: string };

/** Opens resources that a playlist named, with the headers of its source and none of the viewer. */
export class SegmentOpener {
  readonly #upstream: UpstreamClient;
  readonly #timeouts: UpstreamTimeouts;

  constructor(upstream: UpstreamClient, timeouts: UpstreamTimeouts) {
    this.#upstream = upstream;
    this.#timeouts = timeouts;
  }

  /**
   * Tries a second time at once when the connection fails. Any status is an answer.
   * @throws UpstreamError, and MediaError `UPSTREAM_WRONG_TYPE` for a page, a playlist, or a key of
   *   wrong length.
   */
  async open(
    source: Source,
    { target, ranges }: { readonly target: Target; readonly ranges: RangeHeaders },
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const request = {
      method: 'GET' as const,
      url: target.url,
      headers: { ...source.headers, ...headersOf(ranges) },
      timeouts: this.#timeouts,
    };
    const response = await this.#upstream.open(request, signal).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof UpstreamError)) throw error;
      return this.#upstream.open(request, signal);
    });
    const timeoutMs = this.#timeouts.headersMs;
    return inspect(response, { target, timeoutMs, signal });
  }
}

const headersOf = ({ range, ifRange }: RangeHeaders): Record<string, string> => ({
  ...(range === undefined ? {} : { Range: range }),
  ...(range === undefined || ifRange === undefined ? {} : { 'If-Range': ifRange }),
});
