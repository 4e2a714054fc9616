import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { LiveDelivery, LiveViewing, VodDelivery } from '#delivery';
import { InvariantError } from '#kernel/app-error';
import type { TranscodeDelivery } from '#runs';
import type { Stream, StreamDirectory } from '#streams';
import { isFragmentedHls } from '#transcode';
import { serveViewer } from '#api/http/handle';
import type { ViewerExchange } from '#api/http/handle';
import { beginLive } from '#api/http/live-response';
import { resourcesOn } from '#api/http/resource';
import { streamIdIn } from '#api/http/stream-id';
import { viewerRequestOf } from '#api/http/viewer-request';
import { serveVod } from '#api/http/vod-response';

export type PlaybackDeps = {
  readonly directory: StreamDirectory;
  readonly live: LiveDelivery;
  readonly vod: VodDelivery;
  /** Of streams that are transcoded; there are none where it is absent. */
  readonly transcodes?: TranscodeDelivery;
};

/** `GET|HEAD /stream/{id}`: live bytes, also of playlists; files with ranges; or the way to a playlist. */
export function playbackRoutes(deps: PlaybackDeps): Router {
  const router = Router();
  const handlers = playback(deps);
  resourcesOn(router)('/stream/:stream_id', { get: handlers, head: handlers });
  return router;
}

function playback(deps: PlaybackDeps): RequestHandler {
  return serveViewer(async (exchange) => {
    // Who may not watch does not learn what there is.
    viewerRequestOf(exchange.req);
    const stream = await deps.directory.open(streamIdIn(exchange.req));
    await serve(deps, stream, exchange);
  });
}

async function serve(deps: PlaybackDeps, stream: Stream, exchange: ViewerExchange): Promise<void> {
  if (stream.transcode !== undefined) return serveTranscode(deps, stream, exchange);
  if (stream.kind === 'dash') return toPlaylist(stream, exchange);
  if (stream.kind === 'vod' && (await serveVod(deps.vod, stream, exchange))) return;
  if (stream.kind === 'hls' && !deps.live.readsPlaylists) return toPlaylist(stream, exchange);
  if (exchange.req.method === 'HEAD') return describeLive(exchange.res);
  const { req, gone } = exchange;
  const outcome = await deps.live.watch(stream, viewerRequestOf(req), gone);
  if (outcome.kind === 'hls') return toPlaylist(stream, exchange);
  // The first bytes have proved the stream to be of another kind, and the stream has learnt it.
  if (outcome.kind !== 'live') return serve(deps, stream, exchange);
  await sendLive(outcome, exchange);
}

async function sendLive(viewing: LiveViewing, { res, gone }: ViewerExchange): Promise<void> {
  res.setHeader('X-Client-ID', viewing.clientId);
  const { contentType, hasEnd } = viewing;
  const response = await beginLive(res, { headers: liveHeaders(contentType), hasEnd }, gone);
  response.finish(await viewing.flow(response.sink, gone));
}

/** What a stream is made into; also one whose players are meant to ask for a playlist. */
async function serveTranscode(
  { transcodes }: PlaybackDeps,
  stream: Stream,
  exchange: ViewerExchange,
): Promise<void> {
  const { req, res, gone } = exchange;
  const plan = stream.transcode;
  // Its file begins anew with each run, which only playlists can tell.
  if (plan !== undefined && isFragmentedHls(plan)) return toPlaylist(stream, exchange);
  const contentType = plan?.output.contentType ?? '';
  if (req.method === 'HEAD') return void res.writeHead(200, liveHeaders(contentType)).end();
  const viewing = await transcodes?.watch(stream, viewerRequestOf(req), gone);
  if (viewing?.kind !== 'live') throw new InvariantError('Transcoding without its delivery.');
  await sendLive(viewing, exchange);
}

/** A live source is never opened to answer HEAD: that would take a connection from a viewer. */
function describeLive(res: Response): void {
  res.writeHead(200, liveHeaders('video/mp2t')).end();
}

const liveHeaders = (contentType: string) => ({
  'Content-Type': contentType,
  'Accept-Ranges': 'none',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
});

/** Relative, so that it holds with and without the prefix, and behind proxies that strip it. */
function toPlaylist(stream: Stream, { req, res }: ViewerExchange): void {
  const path = stream.kind === 'dash' ? 'dash' : 'hls';
  const file = path === 'dash' ? 'manifest.mpd' : 'playlist.m3u8';
  const location = `../${path}/${stream.id}/${file}${queryOf(req)}`;
  res.writeHead(302, { Location: location, 'Cache-Control': 'no-cache' }).end();
}

function queryOf(req: Request): string {
  const at = req.originalUrl.indexOf('?');
  return at === -1 ? '' : req.originalUrl.slice(at);
}
