import type { Request } from 'express';
import { NotFoundError } from '#kernel/app-error';
import { asStreamId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';

const STREAM_ID = /^[0-9a-f]{32}$/;

/**
 * The stream that a path names with `:stream_id`.
 * @throws NotFoundError `STREAM_NOT_FOUND` for what cannot be an id, so that nobody looks for it.
 */
export function streamIdIn(req: Request): StreamId {
  const id = req.params['stream_id'];
  if (typeof id === 'string' && STREAM_ID.test(id)) return asStreamId(id);
  throw new NotFoundError('STREAM_NOT_FOUND', { message: 'No stream has this id.' });
}
