import type { RequestHandler } from 'express';

/** Where a path begins with a stream key, keeps it for the gate: routes do not see it. */
export const keyInPath: RequestHandler = (req, res, next) => {
  res.locals['streamKey'] = req.params['stream_key'];
  next();
};
