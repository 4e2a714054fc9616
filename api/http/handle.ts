import type { Request, RequestHandler, Response } from 'express';
import { abortedBy } from './client-abort.ts';

/** One delivery request. */
export class ViewerExchange {
  readonly req: Request;
  readonly res: Response;
  #gone: AbortSignal | undefined;

  constructor(req: Request, res: Response) {
    this.req = req;
    this.res = res;
  }

  /** Aborts when its viewer leaves. Made when it is looked at: most answers need not wait. */
  get gone(): AbortSignal {
    this.#gone ??= abortedBy(this.req, this.res);
    return this.#gone;
  }
}

/**
 * A route's handler for viewers. What it throws becomes a problem response, or a destroyed
 * connection once headers are out; after the viewer has left it is dropped, since nobody failed.
 */
export const serveViewer =
  (serve: (exchange: ViewerExchange) => Promise<void>): RequestHandler =>
  async (req, res) => {
    const exchange = new ViewerExchange(req, res);
    try {
      await serve(exchange);
    } catch (error) {
      if (!exchange.gone.aborted) throw error;
    }
  };
