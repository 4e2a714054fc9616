import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { isHls, isPlaylist, looksLikeMedia, parsePlaylist, withoutBom } from '#hls';
import type { PlaylistFacts, TextEncoding } from '#hls';
import type { Source } from '#streams';
import type { FetchedText, TextClient } from '#upstream';

/** A playlist as its source sent it, proved to be one. */
export type FetchedPlaylist = {
  readonly text: string;
  readonly encoding: TextEncoding;
  /** Where redirects led: what its URIs are relative to. */
  readonly finalUrl: string;
  readonly facts: PlaylistFacts;
};

export type PlaylistFetcherOptions = {
  readonly texts: TextClient;
  readonly maxBytes: number;
  /** For one exchange, blocking reloads included. */
  readonly timeoutMs: number;
};

/**
 * Fetches playlists of a source, with the source's headers.
 *
 * @param url - The source's own, or that of a playlist it led to.
 * @throws UpstreamError, MediaError: what came is not a playlist, or did not come.
 */
export type PlaylistFetcher = (
  source: Pick<Source, 'headers'>,
  url: string,
  signal: AbortSignal,
) => Promise<FetchedPlaylist>;

export function createPlaylistFetcher(options: PlaylistFetcherOptions): PlaylistFetcher {
  const { texts, maxBytes, timeoutMs } = options;
  return async ({ headers }, url, signal) => {
    const request = { url, headers, maxBytes, timeoutMs, opening: '#EXTM3U' };
    const fetched = await texts.get(request, signal);
    const failure = judge(fetched);
    if (failure) throw failure;
    const { encoding, finalUrl } = fetched;
    const text = withoutBom(fetched.text);
    return { text, encoding, finalUrl, facts: parsePlaylist(text) };
  };
}

function judge({ status, text, contentType }: FetchedText): AppError | undefined {
  if (status < 200 || status > 299) return statusError(status);
  if (isHls(text)) return undefined;
  if (isPlaylist(text)) return malformed('The playlist has none of the tags of HLS.');
  if (looksLikeMedia(text) || isMediaType(contentType)) return wrongType();
  return malformed('The answer is not a playlist.');
}

/** Playlists have types of these families too; whoever asks has seen that it is none. */
const isMediaType = (contentType: string | undefined): boolean =>
  /^(?:video|audio)\//i.test(contentType ?? '');

export const statusError = (status: number): UpstreamError =>
  new UpstreamError('UPSTREAM_STATUS', {
    message: `The source answered with status ${status}.`,
    details: { status },
  });

const malformed = (message: string): MediaError =>
  new MediaError('PLAYLIST_MALFORMED', { message });

const wrongType = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with media where a playlist is due.',
  });
