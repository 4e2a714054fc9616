import express, { Router } from 'express';
import type { Express, RequestHandler } from 'express';
import type { AppDeps, RequestMeter } from './deps.ts';
import { docsRoutes } from './docs-ui.ts';
import { noSuchRoute, resourcesOn } from './http/resource.ts';
import { putGate } from './http/viewer-request.ts';
import { accessLog } from './middleware/access-log.ts';
import { authenticate } from './middleware/authenticate.ts';
import { broadcastCors, playbackCors } from './middleware/playback-cors.ts';
import { keyInPath } from './middleware/path-key.ts';
import { problemHandler } from './middleware/problem-handler.ts';
import { nameRequest, readQueryOnce } from './middleware/request-context.ts';
import { dataOnly, noSniffing } from './middleware/security-headers.ts';
import { accessRoutes } from './routes/access.routes.ts';
import { broadcastRoutes } from './routes/broadcast.routes.ts';
import { byMetadataRoutes } from './routes/by-metadata.routes.ts';
import { metricsRoutes } from './routes/metrics.routes.ts';
import { resolverRoutes } from './routes/resolvers.routes.ts';
import { livenessRoutes, serviceRoutes } from './routes/service.routes.ts';
import { statsRoutes } from './routes/stats.routes.ts';
import { streamRoutes } from './routes/streams.routes.ts';
import { testConnectionRoutes } from './routes/test-connection.routes.ts';
import { transcodeRoutes } from './routes/transcode.routes.ts';
import { viewerRoutes } from './routes/viewers.routes.ts';
import { webhookRoutes } from './routes/webhooks.routes.ts';

const PLAYBACK_PATHS = ['/stream/:stream_id', '/hls/:stream_id/:file', '/dash/:stream_id/{*path}'];
/** Of networks: these are open to everybody, and know no keys. */
const BROADCAST_PATHS = ['/broadcast/:network_id/:file', '/broadcast/:network_id/segment/:file'];
/** Playback for players that take no query: a stream key stands in front of the path. */
const KEY_PATH = '/key/:stream_key';

/**
 * The whole HTTP surface as an Express app that listens to nothing yet. Every route answers on `/`
 * and under the root path.
 */
export function createApp(deps: AppDeps): Express {
  const { logger, settings } = deps;
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing');
  app.set('trust proxy', [...settings.trustedProxies]).set('root path', settings.rootPath);
  putGate(app, deps.access.gate);
  app.use(...preamble(deps));
  // One layer with two paths: what has lost the prefix once cannot lose it again.
  app.use([settings.rootPath, ''], routesOf(deps));
  app.use(noSuchRoute, problemHandler(logger));
  return app;
}

/** What happens to every request first. */
export const preamble = ({
  logger,
  metrics,
}: Pick<AppDeps, 'logger'> & { readonly metrics: RequestMeter }): readonly RequestHandler[] => [
  nameRequest,
  readQueryOnce,
  accessLog(logger, metrics),
  noSniffing,
];

function routesOf(deps: AppDeps): Router {
  const router = Router({ caseSensitive: true });
  router.all([...PLAYBACK_PATHS, ...PLAYBACK_PATHS.map((path) => KEY_PATH + path)], playbackCors);
  router.all(BROADCAST_PATHS, broadcastCors);
  router.use(KEY_PATH, keyInPath, ...deps.delivery);
  router.use(...deps.delivery, managementRoutes(deps), docsRoutes(deps.apiDocument));
  return router;
}

/** In the order in which paths win: literal ones before `/streams/:stream_id`. */
function managementRoutes(deps: AppDeps): Router {
  const router = Router({ caseSensitive: true });
  const resource = resourcesOn(router, [authenticate(deps.settings.apiToken), dataOnly]);
  byMetadataRoutes(resource, deps);
  streamRoutes(resource, deps);
  viewerRoutes(resource, deps);
  serviceRoutes(resource, deps);
  statsRoutes(resource, deps);
  metricsRoutes(resource, deps);
  webhookRoutes(resource, deps);
  accessRoutes(resource, deps);
  testConnectionRoutes(resource, deps);
  transcodeRoutes(resource, deps);
  resolverRoutes(resource, deps);
  broadcastRoutes(resource, deps);
  livenessRoutes(resourcesOn(router, [dataOnly]), deps);
  return router;
}
