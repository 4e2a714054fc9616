import type { ServerResponse } from 'node:http';
import { LiveDelivery } from '#delivery';
import type { LiveDeliveryOptions, LiveTap, WatchOutcome } from '#delivery';
import { InvariantError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Stream, StreamDirectory, ViewerRequest } from '#streams';
import type { UpstreamClient } from '#upstream';
import { relayTap } from './relay-tap.ts';
import type { RunDesk } from './run-desk.ts';
import { TranscodedStream } from './transcoded-stream.ts';
import { UNJUDGED } from './unjudged.ts';

export type TranscodeDeliveryOptions = Omit<
  LiveDeliveryOptions,
  'upstream' | 'timeouts' | 'stallMs' | 'detection' | 'standby' | 'permits' | 'slate'
> & {
  readonly desk: RunDesk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
};

/** Runs are watched by those who ask for them; here nothing is ever late. */
const NEVER_MS = 86_400_000;

/**
 * Transcoded streams for viewers: live delivery whose sources are runs. One run per stream, however
 * many watch; it ends some time after the last of them, as `lingerMs` says.
 */
export class TranscodeDelivery {
  readonly #options: TranscodeDeliveryOptions;
  readonly #live: LiveDelivery;
  readonly #streams = new Map<StreamId, TranscodedStream>();

  constructor(options: TranscodeDeliveryOptions) {
    const { desk: _desk, random: _random, ...common } = options;
    this.#options = options;
    this.#live = new LiveDelivery({
      ...common,
      upstream: this.#client(),
      timeouts: { connectMs: NEVER_MS, headersMs: NEVER_MS },
      stallMs: NEVER_MS,
      detection: { settings: UNJUDGED },
    });
  }

  /** As {@link LiveDelivery.watch}, of what the stream is made into. */
  watch(stream: Stream, viewer: ViewerRequest, gone: AbortSignal): Promise<WatchOutcome> {
    return this.#live.watch(this.#transcoded(stream), viewer, gone);
  }

  /** As {@link LiveDelivery.tap}, of what the stream is made into. */
  tap(stream: Stream): LiveTap {
    return this.#live.tap(this.#transcoded(stream));
  }

  /** For another api process: sends what the stream is made into, until either side ends it. */
  async relay(stream: Stream, response: ServerResponse): Promise<void> {
    await relayTap(this.tap(stream), response);
  }

  /** Streams as they are cut into segments: those that are transcoded as what they are made into. */
  directory(directory: StreamDirectory): StreamDirectory {
    return {
      open: async (id) => {
        const stream = await directory.open(id);
        const output = stream.transcode?.output;
        const isCut = output?.container === 'mpegts' || output?.delivery === 'hls';
        return isCut ? this.#transcoded(stream) : stream;
      },
    };
  }

  #transcoded(stream: Stream): TranscodedStream {
    if (stream instanceof TranscodedStream) return stream;
    const known = this.#streams.get(stream.id);
    if (known?.stream === stream) return known;
    const { clock, timers, random } = this.#options;
    const transcoded = new TranscodedStream({ stream, clock, timers, random });
    this.#streams.set(stream.id, transcoded);
    const forget = (): void => {
      if (this.#streams.get(stream.id) === transcoded) this.#streams.delete(stream.id);
    };
    stream.removed.addEventListener('abort', forget, { once: true });
    return transcoded;
  }

  #client(): UpstreamClient {
    return {
      open: ({ url }, signal) => {
        const transcoded = this.#streams.get(url.slice('run:'.length) as StreamId);
        const plan = transcoded?.transcode;
        if (transcoded === undefined || plan === undefined) {
          throw new InvariantError('A run of a stream that is not transcoded.');
        }
        const { stream, softwareOnly } = transcoded;
        return this.#options.desk.open({ stream, plan, softwareOnly }, signal);
      },
    };
  }
}
