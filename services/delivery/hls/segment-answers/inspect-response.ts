import { MediaError, UpstreamError } from '#kernel/app-error';
import type { Target } from '#hls';
import { orAbort } from '#kernel/or-abort';
import type { UpstreamResponse } from '#upstream';
import { HEAD_BYTES, looksLikePlaylist, mayBeOfPlaylist, plainHead } from './body-head.ts';
import { PeekedResponse } from './peeked-response.ts';
import { isPageType, looksLikeHtml, looksLikePage } from './resource-type.ts';

/** An AES-128 key is this long (RFC 8216 §4.3.2.4). */
export const KEY_BYTES = 16;

export type Inspection = {
  readonly target: Target;
  /** For the first bytes of the body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/**
 * Looks at how a body begins, and gives the response on with all of its bytes. Providers answer
 * with 200 and a page, or with media and the type of a page: bytes decide. A playlist in place of
 * media would show players the provider's own addresses.
 *
 * @throws MediaError `UPSTREAM_WRONG_TYPE` for a page, a playlist, any part of one, nothing at all
 *   where media is due, or a key of wrong length; UpstreamError `UPSTREAM_TIMEOUT`; the signal's reason. The response is closed.
 */
export async function inspect(
  response: UpstreamResponse,
  inspection: Inspection,
): Promise<UpstreamResponse> {
  if (response.status >= 300) return response;
  if (inspection.target.kind === 'key' && hasWrongKeyLength(response)) throw refused(response);
  const peeked = new PeekedResponse(response);
  const head = await headOf(peeked, inspection);
  if (isNothing(peeked, inspection.target) || isRefused(head, response)) throw refused(response);
  return peeked;
}

async function headOf(
  response: PeekedResponse,
  { timeoutMs, signal }: Inspection,
): Promise<Buffer> {
  const tooLate = AbortSignal.timeout(timeoutMs);
  try {
    const head = await orAbort(response.peek(HEAD_BYTES), AbortSignal.any([signal, tooLate]));
    return plainHead(head, response.headers.get('content-encoding'));
  } catch (error) {
    response.close();
    signal.throwIfAborted();
    throw tooLate.aborted ? noBody() : error;
  }
}

/** An empty body with status 200 is how some providers refuse. */
const isNothing = ({ isEmpty }: PeekedResponse, { kind }: Target): boolean =>
  isEmpty && (kind === 'segment' || kind === 'map');

function isRefused(head: Buffer, response: UpstreamResponse): boolean {
  const type = response.headers.get('content-type');
  if (looksLikeHtml(head) || (isPageType(type) && looksLikePage(head))) return true;
  return isFromStart(response) ? looksLikePlaylist(head) : mayBeOfPlaylist(head, type);
}

const isFromStart = ({ status, headers }: UpstreamResponse): boolean =>
  status !== 206 || /^bytes 0-/i.test(headers.get('content-range')?.trim() ?? '');

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

const noBody = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TIMEOUT', { message: 'The source sent a head and no body.' });
