import type { AppError } from '#kernel/app-error';
import type { SlateTrigger } from '#upstream';
import type { LiveFeedOptions } from './live-feed-options.ts';
import { SlateShow } from './slate-show.ts';
import type { SplicedRelay } from './spliced-relay.ts';

export type FeedSlateParts = {
  readonly options: Pick<LiveFeedOptions, 'slate' | 'buffering' | 'clock' | 'timers'>;
  /** Made after the slate. */
  readonly relay: () => SplicedRelay;
  /** Viewers have been told what they get. */
  readonly hasStarted: () => boolean;
  readonly told: (trigger: SlateTrigger | undefined) => void;
  readonly timedOut: (failure: AppError) => void;
};

/** What a feed shows its viewers while no source works. */
export function feedSlate({ options, relay, hasStarted, ...heard }: FeedSlateParts): SlateShow {
  const { slate, buffering, clock, timers } = options;
  // Viewers have nothing only when what is kept for them has been given.
  const settings = slate && { ...slate, afterMs: slate.afterMs + buffering.delayMs };
  return new SlateShow({
    settings,
    target: {
      push: (packets) => relay().send(relay().splice([packets])),
      cut: () => relay().cut(),
    },
    look: () => relay().look,
    fits: () => !hasStarted() || relay().isTransportStream,
    ...heard,
    clock,
    timers,
  });
}
