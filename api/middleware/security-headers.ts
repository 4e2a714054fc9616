import type { RequestHandler } from 'express';

/** On every response: browsers must take media types at their word. */
export const noSniffing: RequestHandler = (_req, res, next) => {
  res.setHeader('X-Content-Type-Options', 'nosniff');
  next();
};

/** On management responses: data that is neither kept, nor framed, nor run. */
export const dataOnly: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  res.setHeader('Referrer-Policy', 'no-referrer');
  next();
};

/** On the documentation page: its own files, from here only. Swagger UI has inline styles. */
export const ownFilesOnly: RequestHandler = (_req, res, next) => {
  res.setHeader(
    'Content-Security-Policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  );
  res.setHeader('Referrer-Policy', 'no-referrer');
  next();
};
