import type { ByteSpan } from '#hls';
import type { TakeBytes } from './read-body.ts';

/** Takes one part of a resource, over several tries, also from a server that ignores ranges. */
export class SpanTaker {
  readonly #offset: number;
  readonly #length: number;
  /** Bytes of the part that have been taken. */
  #taken = 0;
  /** Bytes of the present answer that come before what is wanted. */
  #toSkip = 0;

  /** @param span - The whole resource when absent. */
  constructor(span?: ByteSpan) {
    this.#offset = span?.offset ?? 0;
    this.#length = span?.length ?? Infinity;
  }

  /** What to ask for now; nothing where that is the whole. */
  get range(): string | undefined {
    const first = this.#offset + this.#taken;
    if (first === 0 && this.#length === Infinity) return undefined;
    const last = this.#length === Infinity ? '' : this.#offset + this.#length - 1;
    return `bytes=${first}-${last}`;
  }

  /** Nothing more is wanted. */
  get isDone(): boolean {
    return this.#taken >= this.#length;
  }

  /** An answer comes: the part that was asked for, or the resource from its first byte. */
  begin(isPart: boolean): void {
    this.#toSkip = isPart ? 0 : this.#offset + this.#taken;
  }

  take(bytes: Buffer, handOn: TakeBytes): Promise<void> | undefined {
    const skipped = Math.min(this.#toSkip, bytes.length);
    this.#toSkip -= skipped;
    const wanted = bytes.subarray(skipped, skipped + this.#length - this.#taken);
    this.#taken += wanted.length;
    return wanted.length === 0 ? undefined : handOn(wanted);
  }
}
