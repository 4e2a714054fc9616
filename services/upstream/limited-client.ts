import type { ConnectionAllowance } from './connection-allowance.ts';
import type { ConnectionUse } from './connection-use.ts';
import { PermittedResponse } from './permitted-response.ts';
import { orPlaceLost } from './place-lost.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from './ports.ts';
import { limitOf } from './source-headers.ts';

type Limits = {
  readonly allowance: ConnectionAllowance;
  /** What connections are for whose request does not say. */
  readonly use: ConnectionUse;
};

/**
 * A client whose connections each hold a place at their provider, from before they are opened until
 * they are closed. Where there is no limit it is the client itself that answers. Nothing is left
 * open for the next request where there is one: an idle connection counts too.
 */
export const limitedClient = (client: UpstreamClient, limits: Limits): UpstreamClient => ({
  open: (request, signal) =>
    limitOf(request.headers) === undefined
      ? client.open(request, signal)
      : openWithin(client, limits, { request, signal }),
});

async function openWithin(
  client: UpstreamClient,
  { allowance, use }: Limits,
  { request, signal }: { readonly request: UpstreamRequest; readonly signal: AbortSignal },
): Promise<UpstreamResponse> {
  const { place, patienceMs, headers } = request;
  const wish = { headers, use: request.use ?? use, patienceMs };
  const permit = place?.take() ?? (await allowance.demand(wish, signal));
  try {
    const both = AbortSignal.any([signal, permit.lost]);
    const response = await client.open({ ...request, keepsConnection: false }, both);
    return new PermittedResponse(response, permit);
  } catch (error) {
    permit.release();
    throw orPlaceLost(error, permit, signal);
  }
}
