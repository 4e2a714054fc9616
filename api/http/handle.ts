import type { Request, RequestHandler, Response } from 'express';
import { abortedBy } from './client-abort.ts';

/** One delivery request: `gone` aborts when its viewer leaves. */
export type ViewerExchange = {
  readonly req: Request;
  readonly res: Response;
  readonly gone: AbortSignal;
};

/**
 * A route's handler for viewers. What it throws becomes a problem response, or a destroyed
 * connection once headers are out; after the viewer has left it is dropped, since nobody failed.
 */
export const serveViewer =
  (serve: (exchange: ViewerExchange) => Promise<void>): RequestHandler =>
  async (req, res) => {
    const gone = abortedBy(req, res);
    try {
      await serve({ req, res, gone });
    } catch (error) {
      if (!gone.aborted) throw error;
    }
  };
