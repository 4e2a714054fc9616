import type { FileRequest, VodDelivery } from '#delivery';
import type { Stream } from '#streams';
import type { ViewerExchange } from './handle.ts';
import { parseIfRange, parseRange } from './range.ts';
import { viewerRequestOf } from './viewer-request.ts';

/** Answers with a file, or the part of it that the player asked for. */
export async function serveVod(
  vod: VodDelivery,
  stream: Stream,
  { req, res, gone }: ViewerExchange,
): Promise<void> {
  const answer = await vod.open(stream, fileRequestOf(req), gone);
  res.writeHead(answer.status, answer.headers);
  if (answer.body) await answer.body.pipeTo(res);
  else res.end();
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
