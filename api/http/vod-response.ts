import type { VodDelivery } from '#delivery';
import type { Stream } from '#streams';
import type { ViewerExchange } from './handle.ts';
import { viewerRequestOf } from './viewer-request.ts';

/** Answers with a file, or the part of it that the player asked for. */
export async function serveVod(
  vod: VodDelivery,
  stream: Stream,
  { req, res, gone }: ViewerExchange,
): Promise<void> {
  const asked = {
    method: req.method === 'HEAD' ? 'HEAD' : 'GET',
    range: req.get('range'),
    ifRange: req.get('if-range'),
  } as const;
  const answer = await vod.open(stream, viewerRequestOf(req), asked, gone);
  res.writeHead(answer.status, answer.headers);
  if (answer.body) await answer.body.pipeTo(res);
  else res.end();
}
