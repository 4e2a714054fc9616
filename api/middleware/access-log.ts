import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '#kernel/logger';
import { requestIdOf } from './request-context.ts';

/**
 * One line per finished request, at `debug` for what is polled. Routes are told by their pattern:
 * paths have ids and handles in them, queries have tokens.
 */
export const accessLog =
  (logger: Logger): RequestHandler =>
  (req, res, next) => {
    const startedMs = performance.now();
    const bytesBefore = req.socket.bytesWritten;
    const { socket } = req;
    res.once('close', () => {
      const route = routeOf(req);
      const level = isPolled(req, route) ? 'debug' : 'info';
      logger[level]('request', {
        requestId: requestIdOf(res),
        method: req.method,
        route,
        status: res.statusCode,
        ms: Math.round(performance.now() - startedMs),
        bytes: socket.bytesWritten - bytesBefore,
        ...(isCut(res) ? { cut: true } : {}),
      });
    });
    next();
  };

const routeOf = (req: Request): string => {
  const route: unknown = req.route;
  const isRoute = typeof route === 'object' && route !== null && 'path' in route;
  return isRoute ? String(route.path) : '(none)';
};

/** Asked every few seconds, by every HLS player and by every health check. */
const isPolled = ({ method }: Request, route: string): boolean =>
  method === 'GET' && (route.startsWith('/hls/') || route === '/healthz');

const isCut = (res: Response): boolean => !res.writableFinished;
