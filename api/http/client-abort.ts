import type { Request, Response } from 'express';

/**
 * Aborts when whoever sent the request leaves before the response is complete: also while it still
 * waits for the first byte. Never aborts after a complete response.
 */
export function abortedBy(req: Request, res: Response): AbortSignal {
  const leaving = new AbortController();
  const leave = (): void => {
    if (!res.writableFinished) leaving.abort(new DOMException('The viewer left.', 'AbortError'));
  };
  if (res.closed || req.socket.destroyed) leave();
  else res.once('close', leave);
  return leaving.signal;
}
