import type { ConnectionAllowance } from './connection-allowance.ts';
import { orPlaceLost } from './place-lost.ts';
import type { TextClient } from './ports.ts';
import { limitOf } from './source-headers.ts';

type TextRequest = Parameters<TextClient['get']>[0];

/** Playlists and documents take a place at their provider too, for as long as they are fetched. */
export const limitedTexts = (texts: TextClient, allowance: ConnectionAllowance): TextClient => ({
  get: (request, signal) =>
    limitOf(request.headers) === undefined
      ? texts.get(request, signal)
      : getWithin(texts, allowance, { request, signal }),
});

async function getWithin(
  texts: TextClient,
  allowance: ConnectionAllowance,
  { request, signal }: { readonly request: TextRequest; readonly signal: AbortSignal },
) {
  const { headers } = request;
  const permit = await allowance.demand({ headers, use: 'playlist' }, signal);
  try {
    // A connection that is kept for later counts at the provider until then.
    const closing = { ...request, headers: { ...headers, Connection: 'close' } };
    return await texts.get(closing, AbortSignal.any([signal, permit.lost]));
  } catch (error) {
    throw orPlaceLost(error, permit, signal);
  } finally {
    permit.release();
  }
}
