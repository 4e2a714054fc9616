import type { RequestHandler } from 'express';

/** The star does not stand for `Authorization`, and for nothing in browsers from before 2020. */
const ALLOWED = '*, Authorization, Range, If-Range, Content-Type, X-Username';
const EXPOSED = [
  '*',
  'Content-Length',
  'Content-Range',
  'Accept-Ranges',
  'Content-Type',
  'ETag',
  'Last-Modified',
  'Retry-After',
  'X-Client-ID',
  'X-Stream-ID',
  'X-Request-Id',
  'X-Proxy-Error',
].join(', ');

/** On every playback response. */
export const ANY_ORIGIN: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': ALLOWED,
  'Access-Control-Expose-Headers': EXPOSED,
};

/**
 * Lets a player on any page read media: any origin, and therefore no credentials. Mounted on
 * playback routes only; management is for the own origin.
 */
export const playbackCors: RequestHandler = (req, res, next) => {
  for (const [name, value] of Object.entries(ANY_ORIGIN)) res.setHeader(name, value);
  const isPreflight =
    req.method === 'OPTIONS' && req.get('access-control-request-method') !== undefined;
  if (!isPreflight) return next();
  res.setHeader('Access-Control-Max-Age', '600');
  res.status(204).end();
};

/** The files of networks have an ending; `start`, `stop` and `status` beside them are management. */
export const broadcastCors: RequestHandler = (req, res, next) =>
  String(req.params['file']).includes('.') ? playbackCors(req, res, next) : next();
