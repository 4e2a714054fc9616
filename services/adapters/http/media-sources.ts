import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { MediaSource, MediaSources } from '#networks';
import { headersWithin } from '#upstream';
import type {
  ProviderLimit,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamTimeouts,
} from '#upstream';
import { FileSource } from './file-source.ts';
import type { MediaDoor } from './media-door.ts';
import { PipeSource } from './pipe-source.ts';

export type MediaSourcesOptions = {
  readonly client: UpstreamClient;
  /** Reads playlists as the transport stream that they carry; one for each source. */
  readonly playlistReader: () => UpstreamClient;
  readonly door: MediaDoor;
  readonly timeouts: UpstreamTimeouts;
  readonly userAgent: string;
  /** Of the account of a URL; absent: there are none. */
  readonly limitOf?: (url: string) => ProviderLimit | undefined;
};

/** A programme may begin a little late; a viewer would not wait so long for a place. */
const PATIENCE_MS = 10_000;

const PLAYLIST = /mpegurl/i;
const PLAYLIST_PATH = /\.m3u8?(?:[?#]|$)/i;

/** Opens sources with the client of all deliveries: its guard, its egress, its time-outs. */
export const mediaSourcesOf = (options: MediaSourcesOptions): MediaSources => ({
  open: (source, signal) => open(options, source, signal),
});

async function open(
  options: MediaSourcesOptions,
  { streamUrl, headers }: { streamUrl: string; headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<MediaSource> {
  const { url, offset } = placeIn(streamUrl);
  const { limitOf, timeouts } = options;
  const sent = { 'User-Agent': options.userAgent, Accept: '*/*', ...headers };
  const request: UpstreamRequest = {
    method: 'GET',
    url,
    headers: headersWithin(limitOf?.(url), sent),
    timeouts,
    patienceMs: PATIENCE_MS,
  };
  if (PLAYLIST_PATH.test(url)) return openPiped(options, request, signal);
  const ranged = { ...request, headers: { ...request.headers, Range: `bytes=${offset}-` } };
  const response = await options.client.open(ranged, signal);
  const size = sizeOf(response);
  const isPlaylist = PLAYLIST.test(response.headers.get('content-type') ?? '');
  if (isPlaylist || response.status !== 206 || size === undefined) {
    response.close();
    return openPiped(options, request, signal);
  }
  response.close();
  const { client, door } = options;
  return new FileSource({ client, door, request, offset, sizeBytes: size - offset });
}

/** What is no playlist passes through the reader as it is. */
async function openPiped(
  { playlistReader }: MediaSourcesOptions,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<MediaSource> {
  const response = await playlistReader().open(request, signal);
  if (response.status >= 200 && response.status <= 299) return new PipeSource(response);
  response.close();
  throw statusFailure(response.status);
}

/** The whole of the resource, as `Content-Range` has it. */
function sizeOf({ headers }: UpstreamResponse): number | undefined {
  const digits = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const RANGE = /#range=(\d{1,15})-\d*$/;

/** A fragment says which bytes are meant; it is no part of the address. */
function placeIn(streamUrl: string): { readonly url: string; readonly offset: number } {
  const offset = Number(RANGE.exec(streamUrl)?.[1] ?? 0);
  return { url: streamUrl.split('#', 1)[0] ?? streamUrl, offset };
}

/** Apps look for the status, and wait longer where the server is at fault. */
export const statusFailure = (status: number): AppError =>
  new UpstreamError('UPSTREAM_STATUS', {
    message: `The source answered with status ${status}${status >= 500 ? ' (Server Error)' : ''}.`,
    details: { status },
  });
