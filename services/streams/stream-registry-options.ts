import type { Clock, Timers } from '#kernel/clock';
import type { NodeEpoch } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { StreamDefaults } from './managed-stream.ts';
import type { StreamMeter } from './meter.ts';
import type {
  FailoverResolver,
  PeerViewers,
  StateJournal,
  StreamStore,
  ViewerPasts,
} from './ports.ts';

export type StreamRegistryOptions = {
  readonly store: StreamStore;
  readonly journal: StateJournal;
  readonly resolver: FailoverResolver;
  /** Of other processes; there are none, when absent. */
  readonly peers?: PeerViewers | undefined;
  /** What viewers were served is lost with the process, when absent. */
  readonly pasts?: ViewerPasts | undefined;
  readonly defaults: StreamDefaults;
  /** Hears of failures and switches; nobody, when absent. */
  readonly meter?: StreamMeter;
  /** Of this process: dead ones' viewers are ended by housekeeping. */
  readonly node: NodeEpoch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};
