import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import type { HlsDelivery } from '#delivery';
import { InvalidInputError } from '#kernel/app-error';
import { serveViewer } from '#api/http/handle';
import type { ViewerExchange } from '#api/http/handle';
import { documentQuery, lowLatencyQuery } from '#api/http/low-latency-query';
import { ownFolder } from '#api/http/own-folder';
import { passedOnBy } from '#api/http/peer-request';
import { queryText } from '#api/http/query';
import { rangesIn } from '#api/http/range';
import { sendText } from '#api/http/send-text';
import { resourcesOn } from '#api/http/resource';
import { streamIdIn } from '#api/http/stream-id';
import { viewerRequestOf } from '#api/http/viewer-request';

type Hls = Pick<HlsDelivery, 'playlist' | 'segment'>;

export type HlsDeps = { readonly hls: Hls };

/** Our playlists name `segment.ts` only; the others are for links that people write by hand. */
const SEGMENT_NAMES = ['segment.ts', 'segment', 'segment.m4s', 'segment.mp4'];

/** On a playlist that could not be had anew: its age in seconds. */
const STALE_HEADER = 'X-Playlist-Stale';

/** What answers the two routes that players ask all the time. */
export type HlsHandlers = { readonly playlist: RequestHandler; readonly segment: RequestHandler };

export const hlsHandlers = ({ hls }: HlsDeps): HlsHandlers => ({
  playlist: serveViewer((exchange) => servePlaylist(hls, exchange)),
  segment: serveViewer((exchange) => serveSegment(hls, exchange)),
});

/** `GET /hls/{id}/playlist.m3u8`, and what playlists lead to. */
export function hlsRoutes({ playlist, segment }: HlsHandlers): Router {
  const router = Router();
  const resource = resourcesOn(router);
  resource('/hls/:stream_id/playlist.m3u8', { get: playlist });
  for (const name of SEGMENT_NAMES) {
    resource(`/hls/:stream_id/${name}`, { get: segment, head: segment });
  }
  return router;
}

async function servePlaylist(hls: Hls, exchange: ViewerExchange): Promise<void> {
  const { req, res } = exchange;
  const query = {
    streamId: streamIdIn(req),
    viewer: viewerRequestOf(req),
    handle: queryText(req, 'h'),
    directives: lowLatencyQuery(req),
    pathway: queryText(req, 'via'),
    here: () => here(req),
  };
  const answer = await hls.playlist(query, exchange);
  res.setHeader('Content-Type', answer.contentType);
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('X-Client-ID', answer.clientId);
  res.setHeader('X-Stream-ID', query.streamId);
  if (answer.staleMs > 0) res.setHeader(STALE_HEADER, Math.ceil(answer.staleMs / 1000));
  await sendText({ req, res }, answer);
}

async function serveSegment(hls: Hls, { req, res, gone }: ViewerExchange): Promise<void> {
  const query = {
    streamId: streamIdIn(req),
    viewer: viewerRequestOf(req),
    handle: handleIn(req),
    ranges: rangesIn(req),
    isHead: req.method === 'HEAD',
    directives: documentQuery(req),
    here: () => here(req),
  };
  const answer = await hls.segment(query, gone);
  res.writeHead(answer.status, {
    ...answer.headers,
    'X-Client-ID': answer.clientId,
    'X-Stream-ID': query.streamId,
  });
  await answer.send(res);
}

/** Where the links of a playlist stand. */
const here = (req: Request): string =>
  passedOnBy(req)?.here ?? ownFolder(req, `/hls/${streamIdIn(req)}/`);

function handleIn(req: Request): string {
  const handle = queryText(req, 'h');
  if (handle !== undefined && handle !== '') return handle;
  throw new InvalidInputError('INPUT_INVALID', {
    message: 'h: is required; segments are reached by the links of a playlist',
  });
}
