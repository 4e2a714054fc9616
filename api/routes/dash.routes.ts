import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import { readFolderPart } from '#delivery';
import type { DashDelivery } from '#delivery';
import { InvalidInputError } from '#kernel/app-error';
import { serveViewer } from '#api/http/handle';
import type { ViewerExchange } from '#api/http/handle';
import { ownFolder } from '#api/http/own-folder';
import { passedOnBy } from '#api/http/peer-request';
import { queryText } from '#api/http/query';
import { rangesIn } from '#api/http/range';
import { resourcesOn } from '#api/http/resource';
import { sendText } from '#api/http/send-text';
import { streamIdIn } from '#api/http/stream-id';
import { viewerRequestOf } from '#api/http/viewer-request';

type Dash = Pick<DashDelivery, 'manifest' | 'segment'>;

export type DashHandlers = { readonly playlist: RequestHandler; readonly segment: RequestHandler };

export const dashHandlers = (dash: Dash): DashHandlers => ({
  playlist: serveViewer((exchange) => serveManifest(dash, exchange)),
  segment: serveViewer((exchange) => serveSegment(dash, exchange)),
});

/** `GET /dash/{id}/manifest.mpd`, and what manifests lead to. */
export function dashRoutes({ playlist, segment }: DashHandlers): Router {
  const router = Router();
  const resource = resourcesOn(router);
  resource('/dash/:stream_id/manifest.mpd', { get: playlist });
  resource('/dash/:stream_id/file', { get: segment, head: segment });
  resource(`/dash/:stream_id/segment/:base/{*path}`, { get: segment, head: segment });
  return router;
}

async function serveManifest(dash: Dash, { req, res, gone }: ViewerExchange): Promise<void> {
  const streamId = streamIdIn(req);
  const query = { streamId, viewer: viewerRequestOf(req), here: () => here(req) };
  const answer = await dash.manifest(query, gone);
  res.setHeader('Content-Type', 'application/dash+xml');
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('X-Client-ID', answer.clientId);
  res.setHeader('X-Stream-ID', streamId);
  await sendText({ req, res }, answer);
}

async function serveSegment(dash: Dash, { req, res, gone }: ViewerExchange): Promise<void> {
  const link = linkIn(req);
  const streamId = streamIdIn(req);
  const query = {
    ...link,
    streamId,
    viewer: viewerRequestOf(req),
    ranges: rangesIn(req),
    isHead: req.method === 'HEAD',
  };
  const answer = await dash.segment(query, gone);
  const ours = { 'X-Client-ID': answer.clientId, 'X-Stream-ID': streamId };
  res.writeHead(answer.status, { ...answer.headers, ...ours });
  await answer.send(res);
}

/** Where the links of a manifest stand: absolute, since players resolve them against each other. */
const here = (req: Request): string => {
  const path = `/dash/${streamIdIn(req)}/`;
  return passedOnBy(req)?.here || ownFolder(req, path) || path;
};

function linkIn(req: Request): { readonly handle: string; readonly path?: string } {
  const base: unknown = req.params['base'];
  if (typeof base === 'string') return folderLinkIn(req, base);
  const handle = queryText(req, 'h');
  if (handle !== undefined && handle !== '') return { handle };
  throw new InvalidInputError('INPUT_INVALID', {
    message: 'h: is required; files are reached by the links of a manifest',
  });
}

/**
 * The viewer stands in the path here, and the query is the source's: it goes on with the path as
 * it is, and must not say anything to the gate.
 */
function folderLinkIn(req: Request, base: string): { handle: string; path: string } {
  const { handle, clientId, pass } = readFolderPart(base);
  const at = req.url.indexOf(`/${base}/`);
  const path = req.url.slice(at + base.length + 2);
  for (const name of Object.keys(req.query)) delete req.query[name];
  Object.assign(req.query, { h: handle, client_id: clientId, s: pass });
  return { handle, path };
}
