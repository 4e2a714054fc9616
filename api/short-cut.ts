import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from '#kernel/logger';
import type { RequestMeter } from './deps.ts';
import { preamble } from './app.ts';
import { playbackCors } from './middleware/playback-cors.ts';
import { problemHandler } from './middleware/problem-handler.ts';
import type { HlsHandlers } from './routes/hls.routes.ts';

export type ShortCutOptions = {
  /** Answers everything else. */
  readonly app: Express;
  readonly handlers: HlsHandlers;
  /** Second prefix of every route, or empty. */
  readonly rootPath: string;
  readonly logger: Logger;
  readonly metrics: RequestMeter;
};

type Hit = {
  readonly handler: RequestHandler;
  readonly pattern: string;
  readonly streamId: string;
};

const HOT_PATH = /^\/hls\/([0-9a-f]{32})\/(playlist\.m3u8|segment\.ts)(?:\?|$)/;

/**
 * Serves the two routes that players ask all the time without a search through all routes: that
 * costs more than a playlist from memory. What runs is what the app would run, in the same order.
 */
export function withShortCut(options: ShortCutOptions): RequestListener {
  const { app, logger } = options;
  const steps = [...preamble(options), playbackCors];
  const onProblem = problemHandler(logger);
  return (incoming, outgoing) => {
    const hit = hitOf(incoming, options);
    if (!hit) {
      app(incoming, outgoing);
      return;
    }
    const { req, res } = asExpress(app, incoming, outgoing);
    req.params = { stream_id: hit.streamId };
    req.route = { path: hit.pattern };
    for (const step of steps) void step(req, res, next);
    Promise.resolve(hit.handler(req, res, next)).catch((error: unknown) =>
      onProblem(error, req, res, next),
    );
  };
}

/** Each step here goes on at once, or not at all. */
const next = (): void => {};

function hitOf({ method, url = '' }: IncomingMessage, options: ShortCutOptions): Hit | undefined {
  if (method !== 'GET') return undefined;
  const { rootPath, handlers } = options;
  const path = rootPath !== '' && url.startsWith(`${rootPath}/`) ? url.slice(rootPath.length) : url;
  const found = HOT_PATH.exec(path);
  if (!found) return undefined;
  const [, streamId = '', file] = found;
  const handler = file === 'segment.ts' ? handlers.segment : handlers.playlist;
  return { handler, streamId, pattern: `/hls/:stream_id/${file}` };
}

/** What Express does with a request before it looks for its route. */
function asExpress(app: Express, incoming: IncomingMessage, outgoing: ServerResponse) {
  const req = Object.setPrototypeOf(incoming, app.request) as Request;
  const res = Object.setPrototypeOf(outgoing, app.response) as Response;
  req.res = res;
  return { req, res };
}
