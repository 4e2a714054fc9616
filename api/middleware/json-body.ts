import express from 'express';
import type { RequestHandler } from 'express';

/**
 * Reads a JSON body of at most 1 MiB into `req.body`. Any other content type leaves it
 * `undefined`: a page that a browser is made to post as a form changes nothing here.
 */
export const jsonBody: RequestHandler = express.json({ limit: 1024 * 1024 });
