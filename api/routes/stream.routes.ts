import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { LiveDelivery, VodDelivery } from '#delivery';
import { asStreamId } from '#kernel/ids';
import type { Stream, StreamDirectory } from '#streams';
import { beginLive } from '#api/http/live-response';
import { NEVER_STORED, PLAYBACK_CORS } from '#api/http/media-headers';
import { serveViewer } from '#api/http/handle';
import type { ViewerExchange } from '#api/http/handle';
import { viewerRequestOf } from '#api/http/viewer-request';
import { serveVod } from '#api/http/vod-response';

export type StreamRouteDeps = {
  readonly directory: StreamDirectory;
  readonly live: LiveDelivery;
  readonly vod: VodDelivery;
};

/** `GET|HEAD /stream/{id}`: live bytes, files with ranges, or the way to the playlist. */
export function streamRoutes(deps: StreamRouteDeps): Router {
  const router = Router();
  router.get('/stream/:id', playback(deps));
  return router;
}

/** Express routes HEAD to GET handlers; `req.method` tells them apart. */
function playback(deps: StreamRouteDeps): RequestHandler {
  return serveViewer(async (exchange) => {
    const stream = await deps.directory.open(asStreamId(String(exchange.req.params['id'])));
    await serve(deps, stream, exchange);
  });
}

async function serve(
  deps: StreamRouteDeps,
  stream: Stream,
  exchange: ViewerExchange,
): Promise<void> {
  if (stream.kind === 'hls') return toPlaylist(stream, exchange);
  if (stream.kind === 'vod') return serveVod(deps.vod, stream, exchange);
  if (exchange.req.method === 'HEAD') return describeLive(exchange.res);
  const { req, res, gone } = exchange;
  const outcome = await deps.live.watch(stream, viewerRequestOf(req), gone);
  // The first bytes have proved the stream to be of another kind, and the stream has learnt it.
  if (outcome.kind !== 'live') return serve(deps, stream, exchange);
  const headers = { ...liveHeaders(outcome.contentType), 'X-Client-ID': outcome.clientId };
  const response = await beginLive(res, headers, gone);
  response.finish(await outcome.flow(response.sink, gone));
}

/** A live source is never opened to answer HEAD: that would take a connection from a viewer. */
function describeLive(res: Response): void {
  res.writeHead(200, liveHeaders('video/mp2t')).end();
}

const liveHeaders = (contentType: string) => ({
  'Content-Type': contentType,
  'Accept-Ranges': 'none',
  ...NEVER_STORED,
  ...PLAYBACK_CORS,
});

/** Relative, so that it holds with and without the prefix, and behind proxies that strip it. */
function toPlaylist(stream: Stream, { req, res }: ViewerExchange): void {
  const location = `../hls/${stream.id}/playlist.m3u8${queryOf(req)}`;
  res.writeHead(302, { Location: location, 'Cache-Control': 'no-cache', ...PLAYBACK_CORS }).end();
}

function queryOf(req: Request): string {
  const at = req.originalUrl.indexOf('?');
  return at === -1 ? '' : req.originalUrl.slice(at);
}
