import { endedViewing } from '#streams';
import type { Stream } from '#streams';

/** Why a viewer's request ended, where that was not its own doing. */
export type ViewingEnd = {
  readonly stream: Stream;
  /** Of the viewer's presence: it was kicked, or the stream removed. */
  readonly ended: AbortSignal;
  readonly gone: AbortSignal;
};

/** What to tell a viewer whose request failed: that it was ended comes before what broke by it. */
export function viewingFailure(error: unknown, { stream, ended, gone }: ViewingEnd): unknown {
  if (gone.aborted || !ended.aborted) return error;
  return endedViewing(stream, ended);
}
