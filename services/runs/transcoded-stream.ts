import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type {
  MediaKind,
  SharingMode,
  SourceWalk,
  Stream,
  StreamOptions,
  ViewerConnection,
  ViewerRequest,
} from '#streams';
import type { HardwareFallback, TranscodePlan } from '#transcode';
import { headersWithin, limitOf } from '#upstream';
import { RunWalk } from './run-walk.ts';

export type TranscodedStreamOptions = {
  readonly stream: Stream;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
};

/** Software takes over for so long from a device that failed. */
const SOFTWARE_MS = 600_000;

const NOTHING_ASKED: StreamOptions = {
  strictLiveTs: null,
  useStickySession: null,
  enableSilenceDetection: false,
  silenceThresholdDb: null,
  silenceDurationSeconds: null,
  silenceCheckIntervalSeconds: null,
  silenceFailoverThreshold: null,
  silenceMonitoringGraceSeconds: null,
};

/**
 * A stream as its viewers get it: the same sessions, and one source, which is what the runs put
 * out. It is live whatever its sources are, and shared where a viewer can join in the middle.
 */
export class TranscodedStream implements Stream {
  readonly #options: TranscodedStreamOptions;
  readonly kind: MediaKind = 'live';
  readonly options = NOTHING_ASKED;
  readonly hasOtherSource = false;
  #softwareUntilMs = 0;

  constructor(options: TranscodedStreamOptions) {
    this.#options = options;
  }

  /** With the sources that the runs read. */
  get stream(): Stream {
    return this.#options.stream;
  }
  get id(): StreamId {
    return this.stream.id;
  }
  get transcode(): TranscodePlan | undefined {
    return this.stream.transcode;
  }
  get sharing(): SharingMode {
    return this.transcode?.output.isJoinable === true ? 'shared' : 'per-client';
  }
  get removed(): AbortSignal {
    return this.stream.removed;
  }
  get softwareOnly(): boolean {
    return this.#options.clock.monotonicMs() < this.#softwareUntilMs;
  }

  walk(): SourceWalk {
    const { clock, timers, random } = this.#options;
    const failed = (error: AppError): void => this.#failed(error);
    const headers = headersWithin(limitOf(this.stream.walk().current.headers), {});
    return new RunWalk({ url: `run:${this.id}`, headers, clock, timers, random, failed });
  }

  join(viewer: ViewerRequest, lingerMs: number): ViewerConnection {
    return this.stream.join(viewer, lingerMs);
  }

  poll(viewer: ViewerRequest, idleMs: number): ViewerConnection {
    return this.stream.poll(viewer, idleMs);
  }

  /** What comes out of FFmpeg is what the plan says. */
  learnKind(): void {}

  fellBack(fallback: HardwareFallback): void {
    this.stream.fellBack(fallback);
  }

  /** FFmpeg tells of it by itself. */
  lookAtMedia(): undefined {}

  #failed({ details }: AppError): void {
    if (details['reason'] !== 'hardware') return;
    this.#softwareUntilMs = this.#options.clock.monotonicMs() + SOFTWARE_MS;
  }
}
