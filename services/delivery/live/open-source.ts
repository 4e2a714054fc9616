import { UpstreamError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { Source } from '#streams';
import { retryAfterMs } from '#upstream';
import type { TakenPlace, UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';

export type SourceOpener = {
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  readonly clock: Clock;
  /** How long it may wait for a place at its provider; as connections do, when absent. */
  readonly patienceMs?: number | undefined;
  /** Its place, where it has one already. */
  readonly place?: TakenPlace | undefined;
};

/**
 * Asks a source for its media; the caller closes the answer.
 * @throws AppError as {@link UpstreamClient.open}, and `UPSTREAM_STATUS`; the signal's reason.
 */
export async function openSource(
  { upstream, timeouts, clock, patienceMs, place }: SourceOpener,
  { url, headers }: Source,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const request = { method: 'GET', url, headers, timeouts, patienceMs, place } as const;
  const response = await upstream.open(request, signal);
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
