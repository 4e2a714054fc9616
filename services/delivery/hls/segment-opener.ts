import { MediaError, UpstreamError } from '#kernel/app-error';
import type { Target } from '#hls';
import { orAbort } from '#kernel/or-abort';
import type { Source } from '#streams';
import type { UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';
import { HEAD_BYTES, looksLikePlaylist, mayBeOfPlaylist, plainHead } from './body-head.ts';
import { spanOf } from './byte-span.ts';
import { PeekedResponse } from './peeked-response.ts';
import { isPageType, looksLikePage } from './segment-headers.ts';

/** The part of a resource that a player asked for, in its own words. */
export type RangeHeaders = { readonly range?: string; readonly ifRange?: string };

/** An AES-128 key is this long (RFC 8216 §4.3.2.4). */
const KEY_BYTES = 16;

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
    return this.#inspect(response, target, signal);
  }

  /**
   * Providers answer with 200 and a page, or with media and the type of a page: bytes decide. A
   * playlist in place of media would show players the provider's own addresses.
   */
  async #inspect(
    response: UpstreamResponse,
    target: Target,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    if (response.status >= 300) return response;
    if (target.kind === 'key' && hasWrongKeyLength(response)) throw refused(response);
    const peeked = new PeekedResponse(response);
    const head = await this.#headOf(peeked, signal);
    if (isRefused(head, response)) throw refused(response);
    return peeked;
  }

  async #headOf(response: PeekedResponse, signal: AbortSignal): Promise<Buffer> {
    const tooLate = AbortSignal.timeout(this.#timeouts.headersMs);
    try {
      const head = await orAbort(response.peek(HEAD_BYTES), AbortSignal.any([signal, tooLate]));
      return plainHead(head, response.headers.get('content-encoding'));
    } catch (error) {
      response.close();
      signal.throwIfAborted();
      throw tooLate.aborted ? noBody() : error;
    }
  }
}

const noBody = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TIMEOUT', { message: 'The source sent a head and no body.' });

const headersOf = ({ range, ifRange }: RangeHeaders): Record<string, string> => ({
  ...(range === undefined ? {} : { Range: range }),
  ...(range === undefined || ifRange === undefined ? {} : { 'If-Range': ifRange }),
});

function isRefused(head: Buffer, response: UpstreamResponse): boolean {
  const type = response.headers.get('content-type');
  if (isPageType(type) && looksLikePage(head)) return true;
  return spanOf(response)?.first === 0 ? looksLikePlaylist(head) : mayBeOfPlaylist(head, type);
}

function hasWrongKeyLength({ status, headers }: UpstreamResponse): boolean {
  const length = headers.get('content-length');
  return status === 200 && length !== undefined && Number(length) !== KEY_BYTES;
}

function refused(response: UpstreamResponse): MediaError {
  response.close();
  return new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than media.',
  });
}
