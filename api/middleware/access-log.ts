import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '#kernel/logger';
import type { RequestMeter } from '#api/deps';
import { routeClassOf } from '#api/http/route-class';
import { requestIdOf } from './request-context.ts';

/**
 * One line per finished request, which is also counted; at `debug` for what is polled. Routes are told by their pattern:
 * paths have ids and handles in them, queries have tokens.
 */
export const accessLog =
  (logger: Logger, meter: RequestMeter): RequestHandler =>
  (req, res, next) => {
    const startedMs = performance.now();
    const bytesBefore = req.socket.bytesWritten;
    const { socket } = req;
    res.once('close', () => {
      const path = routeOf(req);
      const route = path ?? '(none)';
      meter.answered(routeClassOf(path), res.headersSent ? res.statusCode : undefined);
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

const routeOf = (req: Request): string | undefined => {
  const route: unknown = req.route;
  const isRoute = typeof route === 'object' && route !== null && 'path' in route;
  return isRoute ? String(route.path) : undefined;
};

const POLLED = new Set(['/healthz', '/metrics']);

/** Asked every few seconds: by players of HLS and DASH, health checks and scrapers. */
const isPolled = ({ method }: Request, route: string): boolean =>
  method === 'GET' && (/^\/(?:hls|dash)\//.test(route) || POLLED.has(route));

const isCut = (res: Response): boolean => !res.writableFinished;
