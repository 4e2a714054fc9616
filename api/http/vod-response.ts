import type { Response } from 'express';
import { requestIdOf } from '#api/middleware/request-context';
import type { FileRequest, VodDelivery, VodResponse } from '#delivery';
import { InvalidInputError } from '#kernel/app-error';
import type { Stream } from '#streams';
import type { ViewerExchange } from './handle.ts';
import { problemOf } from './problem.ts';
import { parseIfRange, parseRange } from './range.ts';
import { viewerRequestOf } from './viewer-request.ts';

/**
 * Answers with a file, or the part of it that the player asked for.
 * @returns false, with nothing sent, when the stream has proved to be HLS.
 */
export async function serveVod(
  vod: VodDelivery,
  stream: Stream,
  { req, res, gone }: ViewerExchange,
): Promise<boolean> {
  const answer = await vod.open(stream, fileRequestOf(req), gone);
  if (answer === 'playlist') return false;
  await send(res, answer);
  return true;
}

async function send(res: Response, answer: VodResponse): Promise<void> {
  if (answer.status === 416) return refuse(res, answer.headers);
  res.writeHead(answer.status, answer.headers);
  if (answer.body) await answer.body.pipeTo(res);
  else res.end();
}

/** The problem handler would take `Content-Range` off, which here is the point of the answer. */
function refuse(res: Response, headers: VodResponse['headers']): void {
  const error = new InvalidInputError('RANGE_NOT_SATISFIABLE', {
    message: 'The range lies outside of the file.',
  });
  const { body } = problemOf(error, requestIdOf(res));
  res.status(body.status).set(headers).type('application/problem+json').send(JSON.stringify(body));
}

function fileRequestOf(req: ViewerExchange['req']): FileRequest {
  const range = parseRange(req.get('range'));
  const condition = parseIfRange(req.get('if-range'));
  return {
    viewer: viewerRequestOf(req),
    method: req.method === 'HEAD' ? 'HEAD' : 'GET',
    ...(range === undefined ? {} : { range }),
    ...(condition === undefined ? {} : { condition }),
  };
}
