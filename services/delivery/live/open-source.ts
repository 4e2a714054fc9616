import { UpstreamError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { Source } from '#streams';
import { retryAfterMs } from '#upstream';
import type { UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';

export type SourceOpener = {
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  readonly clock: Clock;
};

/**
 * Asks a source for its media; the caller closes the answer.
 * @throws AppError as {@link UpstreamClient.open}, and `UPSTREAM_STATUS`; the signal's reason.
 */
export async function openSource(
  { upstream, timeouts, clock }: SourceOpener,
  { url, headers }: Source,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const response = await upstream.open({ method: 'GET', url, headers, timeouts }, signal);
  if (response.status >= 200 && response.status <= 299) return response;
  response.close();
  throw new UpstreamError('UPSTREAM_STATUS', {
    message: `The source answered with status ${response.status}.`,
    details: { status: response.status, ...restOf(response, clock.nowMs()) },
  });
}

function restOf({ headers }: UpstreamResponse, nowMs: number): { readonly retryAfterMs?: number } {
  const ms = retryAfterMs(headers.get('retry-after'), nowMs);
  return ms === undefined ? {} : { retryAfterMs: ms };
}
