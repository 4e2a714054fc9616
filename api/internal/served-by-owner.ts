import { setTimeout as delay } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { asStreamId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import { abortedBy } from '#api/http/client-abort';
import { passedOnBy } from '#api/http/peer-request';
import type { HlsHandlers } from '#api/routes/hls.routes';
import type { HlsOwners } from './hls-owners.ts';
import type { PassOn } from './pass-on.ts';

export type OwnerOptions = {
  readonly owners: HlsOwners;
  readonly passOn: PassOn;
  readonly logger: Logger;
};

/** An owner that has died is another's after two seconds. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 200;

/**
 * The handlers of HLS, where several api processes serve: each stream's requests are answered by one
 * of them, and passed on to it by the others, so that numbers, segments that are cut here, sessions
 * and caches are the same wherever a balancer sends a player. While the owner cannot be asked, the
 * process that was asked serves by itself.
 */
export function servedByOwner(
  { playlist, segment }: HlsHandlers,
  options: OwnerOptions,
): HlsHandlers {
  const owned = (own: RequestHandler): RequestHandler => {
    return async (req, res, next) => {
      const id = asStreamId(String(req.params['stream_id']));
      const isOurs = passedOnBy(req) !== undefined || options.owners.isHere(id);
      const isDone = !isOurs && (await isPassedOn(id, { req, res }, options));
      if (!isDone) await own(req, res, next);
    };
  };
  return { playlist: owned(playlist), segment: owned(segment) };
}

async function isPassedOn(
  id: StreamId,
  { req, res }: { readonly req: Request; readonly res: Response },
  { owners, passOn, logger }: OwnerOptions,
): Promise<boolean> {
  const gone = abortedBy(req, res);
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const owner = await owners.elsewhere(id);
    if (owner === undefined) return false;
    if ((await passOn(owner, { id, req, res, gone })) === 'done') return true;
    owners.missed(id);
    if (performance.now() > deadlineMs) {
      owners.shun(owner);
      logger.warn('another api process cannot be reached', { streamId: id });
      return false;
    }
    await delay(PAUSE_MS);
  }
}
