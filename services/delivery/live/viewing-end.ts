import type { AppError } from '#kernel/app-error';
import type { ViewerConnection } from '#streams';
import type { LiveFeed } from './live-feed.ts';

/**
 * `played`: the film is over. `clean`: the stream was stopped. `broken`: sources failed. `stuck`: the viewer took nothing for
 * too long. `gone`: the viewer left.
 */
export type ViewingEnd = 'played' | 'clean' | 'broken' | 'stuck' | 'gone';

export const LEAVE_REASONS = {
  played: 'stream_ended',
  clean: 'stream_ended',
  broken: 'sources_failed',
  stuck: 'viewer_stuck',
  gone: 'client_disconnected',
} as const satisfies Record<ViewingEnd, string>;

type Ends = {
  readonly feed: LiveFeed;
  readonly connection: ViewerConnection;
  readonly gone: AbortSignal;
  readonly stuck: Promise<void>;
};

export function firstEnd({ feed, connection, gone, stuck }: Ends): Promise<ViewingEnd> {
  return new Promise((resolve) => {
    const on = (signal: AbortSignal, end: ViewingEnd): void => {
      if (signal.aborted) resolve(end);
      else signal.addEventListener('abort', () => resolve(end), { once: true });
    };
    on(gone, 'gone');
    on(connection.ended, 'clean');
    void stuck.then(() => resolve('stuck'));
    void feed.ended.then((failure) => resolve(endOf(feed, failure)));
  });
}

function endOf({ hasPlayed }: LiveFeed, failure: AppError | undefined): ViewingEnd {
  if (hasPlayed) return 'played';
  return failure === undefined ? 'clean' : 'broken';
}
