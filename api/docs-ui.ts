import { Router } from 'express';
import type { RequestHandler } from 'express';
import swaggerUi from 'swagger-ui-express';
import type { AppDeps } from '#api/deps';
import { resourcesOn } from '#api/http/resource';
import { ownFilesOnly } from '#api/middleware/security-headers';

/**
 * `/openapi.json`, and Swagger UI over it at `/docs`, from files of ours only. Every link is
 * relative, so that both work with and without a prefix, whoever strips it.
 */
export function docsRoutes(apiDocument: AppDeps['apiDocument']): Router {
  const router = Router();
  const resource = resourcesOn(router);
  const page = swaggerUi.generateHTML(undefined, {
    customSiteTitle: 'Penstock API',
    customCss: '',
  });
  const showPage: RequestHandler = (_req, res) => void res.type('html').send(page);
  const showDocument: RequestHandler = async (_req, res) => {
    res.type('json').send(await apiDocument.text());
  };
  resource('/openapi.json', { get: showDocument });
  resource('/docs', { get: [ownFilesOnly, intoFolder, showPage] });
  resource('/redoc', {
    get: (req, res) => res.redirect(307, req.path.endsWith('/') ? '../docs/' : 'docs/'),
  });
  resource('/favicon.ico', { get: (_req, res) => void res.status(204).end() });
  router.use('/docs', ownFilesOnly, ...swaggerUi.serveFiles(undefined, SPEC));
  return router;
}

const SPEC = { swaggerUrl: '../openapi.json' };

/** The page's relative links need the trailing slash. */
const intoFolder: RequestHandler = (req, res, next) => {
  const [path = '', query] = req.originalUrl.split('?', 2);
  if (path.endsWith('/')) return next();
  res.redirect(307, query === undefined ? 'docs/' : `docs/?${query}`);
};
