import type { Clock } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Stream } from '#streams';
import { HlsStream } from './hls-stream.ts';
import type { HlsStreamOptions } from './hls-stream.ts';

/** What is kept of a stream that nobody asks for is dropped after this long. */
const FORGET_AFTER_MS = 600_000;

type Entry = { readonly hls: HlsStream; usedMs: number };

/** One {@link HlsStream} per stream that is asked for, until it is removed or long unused. */
export class KnownStreams {
  readonly #streams = new Map<StreamId, Entry>();
  readonly #options: Omit<HlsStreamOptions, 'stream'>;
  readonly #clock: Clock;

  constructor(options: Omit<HlsStreamOptions, 'stream'>) {
    this.#options = options;
    this.#clock = options.clock;
  }

  of(stream: Stream): HlsStream {
    const known = this.#streams.get(stream.id);
    const usedMs = this.#clock.monotonicMs();
    if (known && known.hls.stream === stream && known.hls.kind === stream.kind) {
      known.usedMs = usedMs;
      return known.hls;
    }
    this.#forgetUnused(usedMs);
    const entry: Entry = { hls: new HlsStream({ ...this.#options, stream }), usedMs };
    this.#streams.set(stream.id, entry);
    stream.removed.addEventListener('abort', () => this.#forget(stream.id, entry), { once: true });
    return entry.hls;
  }

  #forgetUnused(nowMs: number): void {
    for (const [id, entry] of this.#streams) {
      if (nowMs - entry.usedMs > FORGET_AFTER_MS) this.#forget(id, entry);
    }
  }

  #forget(id: StreamId, entry: Entry): void {
    if (this.#streams.get(id) === entry) this.#streams.delete(id);
  }
}
