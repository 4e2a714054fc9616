import { UpstreamError } from '#kernel/app-error';
import type { Timers } from '#kernel/clock';

/** A viewer that takes nothing for this long is let go: it holds what others need. */
export const VIEWER_PATIENCE_MS = 60_000;

/** A deadline for one viewer's wait. `end` it when the wait is over. */
export type Patience = {
  /** Aborts with `UPSTREAM_TIMEOUT`. */
  readonly signal: AbortSignal;
  end(): void;
};

export function startPatience(timers: Timers, patienceMs: number): Patience {
  const controller = new AbortController();
  const timer = timers.after(patienceMs, () =>
    controller.abort(
      new UpstreamError('UPSTREAM_TIMEOUT', { message: 'No source gave a playlist in time.' }),
    ),
  );
  return { signal: controller.signal, end: () => timer.cancel() };
}
