import type { HandleCodec, Target } from '#hls';
import type { ClientId, StreamId } from '#kernel/ids';
import type { ViewerRequest } from '#streams';

/**
 * The local URL of an upstream one, relative to our playlist, so that it holds with and without a
 * prefix. The file names are fixed and everything else is in the query: proxies in front of us let
 * through only certain names.
 */
export function childUrl(handles: HandleCodec, streamId: StreamId, target: Target): string {
  const name = target.kind === 'playlist' ? 'playlist.m3u8' : 'segment.ts';
  return `${name}?h=${handles.seal(streamId, target)}`;
}

/**
 * Stands in front of a link that must be absolute, until it is known who reads it: no scheme has
 * this name.
 */
export const HERE = 'penstock-here:';

/** What follows every local URL of one viewer. */
export const viewerSuffix = (clientId: ClientId, { passFor }: ViewerRequest): string =>
  `&client_id=${encodeURIComponent(clientId)}${passFor?.(clientId) ?? ''}`;

/** The parameter by which players ask for a playlist of a cloned pathway. */
export const PATHWAY_PARAM = 'via';
