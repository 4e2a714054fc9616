import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { isHls, isPlaylist, looksLikeMedia, parsePlaylist, withoutBom } from '#hls';
import type { PlaylistFacts, TextEncoding } from '#hls';
import { PACKET_BYTES, syncOffset } from '#mpegts';
import type { Source } from '#streams';
import type { FetchedText, TextClient, Validators } from '#upstream';

/** A playlist as its source sent it, proved to be one. */
export type FetchedPlaylist = {
  readonly text: string;
  readonly encoding: TextEncoding;
  /** Where redirects led: what its URIs are relative to. */
  readonly finalUrl: string;
  readonly facts: PlaylistFacts;
  /** To ask by whether it has changed; empty where the source says nothing. */
  readonly validators?: Validators;
  /** Names the run of segments, where they are cut here out of a source that is no playlist. */
  readonly run?: string;
};

/** Enough to tell packets by. */
const LOOKED_AT_CHARS = 4096;

export type PlaylistClientOptions = {
  readonly texts: TextClient;
  readonly maxBytes: number;
  /** For one exchange, where it does not say how long it may take. */
  readonly timeoutMs: number;
};

export type PlaylistExchange = {
  readonly url: string;
  /** The source's, secrets included. */
  readonly headers: Source['headers'];
  /** What this URL gave the last time: given back, the same object, where it still holds. */
  readonly known?: FetchedPlaylist | undefined;
  /** A blocking reload is held by its server: it may take at least this long. */
  readonly heldMs?: number;
};

/**
 * One exchange with a source's server.
 * @throws UpstreamError, MediaError: what came is not a playlist, or did not come.
 */
export type PlaylistClient = (
  exchange: PlaylistExchange,
  signal: AbortSignal,
) => Promise<FetchedPlaylist>;

/**
 * Fetches playlists of a source, with the source's headers.
 *
 * @param url - The source's own, or that of a playlist it led to.
 * @throws as {@link PlaylistClient}.
 */
export type PlaylistFetcher = (
  source: Source,
  url: string,
  signal: AbortSignal,
) => Promise<FetchedPlaylist>;

export function createPlaylistClient(options: PlaylistClientOptions): PlaylistClient {
  const { texts, maxBytes, timeoutMs } = options;
  return async ({ url, headers, known, heldMs = 0 }, signal) => {
    const patience = { maxBytes, timeoutMs: Math.max(timeoutMs, heldMs) };
    const condition = known?.validators ? { validators: known.validators } : {};
    const request = { url, headers, ...patience, ...condition, opening: '#EXTM3U' };
    const fetched = await texts.get(request, signal);
    if (known && fetched.status === 304) return at(known, fetched.finalUrl);
    const failure = judge(fetched);
    if (failure) throw failure;
    const { encoding, finalUrl, validators } = fetched;
    const text = withoutBom(fetched.text);
    return { text, encoding, finalUrl, validators, facts: parsePlaylist(text) };
  };
}

/** The same text may be elsewhere now, and its URIs are relative to where it is. */
const at = (known: FetchedPlaylist, finalUrl: string): FetchedPlaylist =>
  known.finalUrl === finalUrl ? known : { ...known, finalUrl };

function judge(fetched: FetchedText): AppError | undefined {
  const { status, text, contentType } = fetched;
  if (status < 200 || status > 299) return statusError(status);
  if (isHls(text)) return undefined;
  if (isPlaylist(text)) return malformed('The playlist has none of the tags of HLS.');
  if (mayBeLive(fetched)) return wrongType({ carries: TRANSPORT_STREAM });
  if (looksLikeMedia(text) || isMediaType(contentType)) return wrongType();
  return malformed('The answer is not a playlist.');
}

/** Playlists have types of these families too; whoever asks has seen that it is none. */
const isMediaType = (contentType: string | undefined): boolean =>
  /^(?:video|audio)\//i.test(contentType ?? '');

const TRANSPORT_STREAM = 'transport-stream';

/**
 * A transport stream of which nobody has said where it ends. One whose length is known is a file:
 * providers send short ones where a limit is reached.
 */
function mayBeLive({ text, encoding, contentType, isSized = false }: FetchedText): boolean {
  if (isSized) return false;
  const isLong = text.length > PACKET_BYTES;
  const bytes = Buffer.from(text.slice(0, LOOKED_AT_CHARS), encoding);
  return (isLong || /^video\/mp2t\b/i.test(contentType ?? '')) && syncOffset(bytes) !== undefined;
}

/** Whether what came in place of a playlist may be a live transport stream. */
export const carriesTransportStream = (error: unknown): error is MediaError =>
  error instanceof MediaError && error.details['carries'] === TRANSPORT_STREAM;

export const statusError = (status: number): UpstreamError =>
  new UpstreamError('UPSTREAM_STATUS', {
    message: `The source answered with status ${status}.`,
    details: { status },
  });

const malformed = (message: string): MediaError =>
  new MediaError('PLAYLIST_MALFORMED', { message });

const wrongType = (details: Readonly<Record<string, string>> = {}): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with media where a playlist is due.',
    details,
  });
