import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

const HEADER = 'X-Request-Id';
const ACCEPTABLE = /^[\w.:-]{1,64}$/;

/** Gives each request a name, the caller's own where it brings a decent one, and says it back. */
export const nameRequest: RequestHandler = (req, res, next) => {
  const given = req.get(HEADER);
  res.setHeader(HEADER, given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID());
  next();
};

/** Express parses the query anew each time that it is looked at. */
export const readQueryOnce: RequestHandler = (req, _res, next) => {
  Object.defineProperty(req, 'query', { value: req.query });
  next();
};

export const requestIdOf = (res: Response): string => String(res.getHeader(HEADER) ?? '');
