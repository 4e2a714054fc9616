import type { LoopedTs } from './looped-ts.ts';
import { PACKET_BYTES } from './ts-tools.ts';

/**
 * A piece of a stream that repeats as it is, times and counters included: what a careless provider
 * sends when it puts a clip on air.
 */
export class ShortLoop {
  readonly tracks: LoopedTs['tracks'];
  readonly #packets: Buffer;
  readonly #perMs: number;

  /** Whole picture groups that end before `endsAt`, at least `ms` long. */
  constructor(source: LoopedTs, { endsAt, ms }: { endsAt: number; ms: number }) {
    this.tracks = source.tracks;
    const end = Math.max(source.startBefore(endsAt), source.positionAt(ms));
    const start = source.startBefore(end - source.positionAt(ms));
    this.#packets = source.read(start, end - start);
    this.#perMs = source.packetsPerLoop / source.durationMs;
  }

  get #length(): number {
    return this.#packets.length / PACKET_BYTES;
  }

  positionAt(elapsedMs: number): number {
    return Math.floor(elapsedMs * this.#perMs);
  }

  startBefore(position: number): number {
    return position - (position % this.#length);
  }

  /** A fresh copy. */
  read(position: number, count: number): Buffer {
    const out = Buffer.allocUnsafe(count * PACKET_BYTES);
    for (let index = 0; index < count; index += 1) {
      const from = ((position + index) % this.#length) * PACKET_BYTES;
      this.#packets.copy(out, index * PACKET_BYTES, from, from + PACKET_BYTES);
    }
    return out;
  }
}
