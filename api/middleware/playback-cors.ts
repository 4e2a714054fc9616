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

/**
 * Lets a player on any page read media: any origin, and therefore no credentials. Mounted on
 * playback routes only; management is for the own origin.
 */
export const playbackCors: RequestHandler = (req, res, next) => {
  res.setHeader('Access-Control-Allow-Origin', '*');
  res.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS');
  res.setHeader('Access-Control-Allow-Headers', ALLOWED);
  res.setHeader('Access-Control-Expose-Headers', EXPOSED);
  const isPreflight =
    req.method === 'OPTIONS' && req.get('access-control-request-method') !== undefined;
  if (!isPreflight) return next();
  res.setHeader('Access-Control-Max-Age', '600');
  res.status(204).end();
};
