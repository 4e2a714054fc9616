import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { ViewerSink } from '#relay';
import type { SourceWalk, Stream, WalkReader } from '#streams';
import type {
  ConnectionAllowance,
  SparePermits,
  UpstreamClient,
  UpstreamTimeouts,
} from '#upstream';
import type { LiveDetection } from './detection.ts';
import type { SlateSettings } from './slate-show.ts';
import type { StandbyMode } from './spare-keeper.ts';
import type { LiveBuffering } from './spliced-relay.ts';

/** What a feed is made of. */
export type LiveFeedOptions = {
  readonly stream: Stream;
  /** Makes its way through the sources. */
  readonly walkOf: (reader: WalkReader) => SourceWalk;
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  readonly stallMs: number;
  readonly detection: LiveDetection;
  readonly standby: StandbyMode;
  readonly permits: SparePermits;
  readonly allowance: ConnectionAllowance;
  /** What viewers see while no source works; absent: nothing. */
  readonly slate?: SlateSettings | undefined;
  readonly budgetBytes: number;
  readonly buffering: LiveBuffering;
  readonly patienceMs: number;
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly served: (sink: ViewerSink, bytes: number) => void;
  readonly dropped: (sink: ViewerSink) => void;
};
