import { InvalidInputError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Stream } from '#streams';
import { HlsStream } from './hls-stream.ts';
import type { HlsStreamOptions } from './hls-stream.ts';

/** What is kept of a stream that nobody asks for is dropped after this long. */
const FORGET_AFTER_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;

type Entry = { readonly hls: HlsStream; readonly forgotten: AbortController; usedMs: number };

export type KnownStreamsOptions = Omit<HlsStreamOptions, 'stream'> & {
  /** Told when what is known of a stream is dropped: it was removed, is unused, or begins anew. */
  readonly forgotten?: (hls: HlsStream) => void;
};

/** One {@link HlsStream} per stream that is asked for, until it is removed or long unused. */
export class KnownStreams {
  readonly #streams = new Map<StreamId, Entry>();
  readonly #options: KnownStreamsOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #isSweeping = false;

  constructor(options: KnownStreamsOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#timers = options.timers;
  }

  /** @throws InvalidInputError `TRANSCODE_UNSUPPORTED`: its playlist would be that of its source. */
  of(stream: Stream): HlsStream {
    if (stream.transcode !== undefined) throw noPlaylist();
    const known = this.#streams.get(stream.id);
    const usedMs = this.#clock.monotonicMs();
    if (known && known.hls.stream === stream && known.hls.kind === stream.kind) {
      known.usedMs = usedMs;
      return known.hls;
    }
    if (known) this.#forget(stream.id, known);
    const hls = new HlsStream({ ...this.#options, stream });
    const entry: Entry = { hls, forgotten: new AbortController(), usedMs };
    this.#streams.set(stream.id, entry);
    const { signal } = entry.forgotten;
    const forget = (): void => this.#forget(stream.id, entry);
    stream.removed.addEventListener('abort', forget, { once: true, signal });
    this.#armSweep();
    return entry.hls;
  }

  find(id: StreamId): HlsStream | undefined {
    return this.#streams.get(id)?.hls;
  }

  #armSweep(): void {
    if (this.#isSweeping || this.#streams.size === 0) return;
    this.#isSweeping = true;
    this.#timers.after(SWEEP_EVERY_MS, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    this.#isSweeping = false;
    const nowMs = this.#clock.monotonicMs();
    for (const [id, entry] of this.#streams) {
      if (nowMs - entry.usedMs > FORGET_AFTER_MS) this.#forget(id, entry);
    }
    this.#armSweep();
  }

  #forget(id: StreamId, entry: Entry): void {
    if (this.#streams.get(id) !== entry) return;
    this.#streams.delete(id);
    entry.forgotten.abort();
    entry.hls.close();
    this.#options.forgotten?.(entry.hls);
  }
}

const noPlaylist = (): InvalidInputError =>
  new InvalidInputError('TRANSCODE_UNSUPPORTED', {
    message: 'What this stream is made into is served at /stream, not as HLS.',
  });
