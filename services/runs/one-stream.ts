import { HEAD_BYTES, readHead } from '#conversion';
import type { Remuxer } from '#conversion';
import { PeekedResponse } from '#delivery';
import { orAbort } from '#kernel/or-abort';
import type { ResolvedInput } from '#resolve';
import type { UpstreamResponse } from '#upstream';
import { RemuxedResponse } from './remuxed-response.ts';
import type { RemuxedInput } from './remuxed-response.ts';
import { resolveFailed } from './resolver-error.ts';

export type OpenedInputs = {
  readonly inputs: readonly ResolvedInput[];
  /** One for each; they stay the caller's when this fails. */
  readonly opened: readonly UpstreamResponse[];
  readonly remuxer: Remuxer;
};

/**
 * The media of a page as one transport stream.
 * @throws AppError where it cannot be one; the signal's reason.
 */
export async function asOneStream(
  { inputs, opened, remuxer }: OpenedInputs,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const packed: RemuxedInput[] = [];
  for (const [index, response] of opened.entries()) {
    const isPlaylist = inputs[index]?.isPlaylist === true;
    packed.push(isPlaylist ? { response, format: 'mpegts' } : await looked(response, signal));
  }
  const [first] = packed;
  if (first === undefined) throw resolveFailed('no_media');
  const isOne = packed.length === 1 && first.format === 'mpegts';
  return isOne ? first.response : new RemuxedResponse(packed, remuxer);
}

async function looked(response: UpstreamResponse, signal: AbortSignal): Promise<RemuxedInput> {
  const peeked = new PeekedResponse(response);
  const head = await orAbort(peeked.peek(HEAD_BYTES), signal);
  const found = head.length === 0 ? undefined : readHead(head);
  if (found === undefined) throw resolveFailed('media');
  return { response: peeked, format: found.format };
}
