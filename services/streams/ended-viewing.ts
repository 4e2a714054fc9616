import { DependencyError, NotAllowedError, NotFoundError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Stream } from './viewing.ts';

/**
 * What to tell a viewer that was ended while it waited, and did not leave by itself.
 * @param ended - Of its connection; the reason says how it was ended.
 */
export function endedViewing(stream: Stream, ended: AbortSignal): AppError {
  if (stream.removed.aborted) {
    const message = 'The stream was removed while it was awaited.';
    return new NotFoundError('STREAM_GONE', { message });
  }
  if (hasReason(ended, 'access_ended')) {
    const message = 'The time to watch is over, or the stream key has been revoked.';
    return new NotAllowedError('ACCESS_ENDED', { message });
  }
  if (hasReason(ended, 'shutting_down')) {
    const message = 'This server is going down. Ask again in a moment.';
    return new DependencyError('SHUTTING_DOWN', { message });
  }
  return new NotAllowedError('VIEWER_KICKED', { message: 'This viewer was disconnected.' });
}

const hasReason = ({ reason }: AbortSignal, word: string): boolean =>
  reason instanceof DOMException && reason.message === word;
