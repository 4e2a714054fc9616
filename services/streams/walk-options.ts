import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { FailoverStage, RetryPolicy } from '#upstream';
import type { SlateLog } from './slate-log.ts';
import type { SourceCursor } from './source-cursor.ts';
import type { SwitchLog } from './switch-log.ts';
import type { Source } from './viewing.ts';

/** What a stream gives a reader on its way through the sources. */
export type WalkOptions = {
  readonly cursor: SourceCursor;
  readonly switches: SwitchLog;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly stage: FailoverStage;
  /** `User-Agent` and the stream's own headers, as they are now, for one of its sources. */
  readonly headers: (url: string) => Readonly<Record<string, string>>;
  /** An outage has used up its tries. */
  readonly gaveUp: (error: AppError, retries: number) => void;
  /** A source failed; counted, whatever is done about it. */
  readonly erred: (error: AppError) => void;
  /** All tries are used up; true: go on, somebody has something else to show. */
  readonly holdsOut: (error: AppError) => boolean;
  readonly slates: SlateLog;
  readonly onMoved: (listener: () => void) => () => void;
  /** This reader has moved the stream by itself. */
  readonly announceMove: () => void;
};

/** The answer to one failure, for all requests that met it; dropped when nobody waits for it. */
export type Answer = {
  readonly next: Promise<Source>;
  readonly unwanted: AbortController;
  waiting: number;
};
