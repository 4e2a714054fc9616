import type { RequestHandler } from 'express';

/**
 * Lets a player on any page read media: any origin, and therefore no credentials. Mounted on
 * playback routes only; management is for the own origin.
 */
export const playbackCors: RequestHandler = (req, res, next) => {
  res.setHeader('Access-Control-Allow-Origin', '*');
  res.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS');
  res.setHeader('Access-Control-Allow-Headers', '*');
  res.setHeader('Access-Control-Expose-Headers', '*');
  const isPreflight =
    req.method === 'OPTIONS' && req.get('access-control-request-method') !== undefined;
  if (!isPreflight) return next();
  res.setHeader('Access-Control-Max-Age', '600');
  res.status(204).end();
};
