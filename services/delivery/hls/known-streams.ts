import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Stream } from '#streams';
import { HlsStream } from './hls-stream.ts';
import type { HlsStreamOptions } from './hls-stream.ts';

/** What is kept of a stream that nobody asks for is dropped after this long. */
const FORGET_AFTER_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;

type Entry = { readonly hls: HlsStream; usedMs: number };

/** One {@link HlsStream} per stream that is asked for, until it is removed or long unused. */
export class KnownStreams {
  readonly #streams = new Map<StreamId, Entry>();
  readonly #options: Omit<HlsStreamOptions, 'stream'>;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #isSweeping = false;

  constructor(options: Omit<HlsStreamOptions, 'stream'>) {
    this.#options = options;
    this.#clock = options.clock;
    this.#timers = options.timers;
  }

  of(stream: Stream): HlsStream {
    const known = this.#streams.get(stream.id);
    const usedMs = this.#clock.monotonicMs();
    if (known && known.hls.stream === stream && known.hls.kind === stream.kind) {
      known.usedMs = usedMs;
      return known.hls;
    }
    const entry: Entry = { hls: new HlsStream({ ...this.#options, stream }), usedMs };
    this.#streams.set(stream.id, entry);
    stream.removed.addEventListener('abort', () => this.#forget(stream.id, entry), { once: true });
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
    if (this.#streams.get(id) === entry) this.#streams.delete(id);
  }
}
