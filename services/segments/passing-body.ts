/** How far the source may be ahead of the foremost reader, and how far another may be behind it. */
export const WINDOW_BYTES = 1024 * 1024;
/** What a connection is read by at most, mostly. */
const CHUNK_BYTES = 64 * 1024;
/** The same for a body that one reader has to itself: hundreds of these may pass at once. */
const ALONE = { aheadBytes: 128 * 1024, behindBytes: 0 };
const TOGETHER = { aheadBytes: WINDOW_BYTES, behindBytes: WINDOW_BYTES };

type Chunk = {
  readonly startBytes: number;
  readonly memory: Buffer;
  /** What of the memory is filled, from its first byte. */
  bytes: Buffer;
};

/**
 * A body that is too large to be kept, as it passes: only what is near the foremost reader is
 * there. A reader that falls out of the window has to go its own way.
 */
export class PassingBody {
  readonly #chunks: Chunk[] = [];
  readonly #wanted: () => void;
  readonly #window: typeof TOGETHER;
  /** Memory of chunks that are gone, used again: where one reads alone, nobody else has a view of it. */
  readonly #spare: Buffer[] | undefined;
  #startBytes = 0;
  #endBytes = 0;
  #foremostBytes = 0;
  #isFull = false;

  /** @param wanted - Called when there is room again after `push` has said false. */
  constructor(wanted: () => void, { isAlone = false } = {}) {
    this.#wanted = wanted;
    this.#window = isAlone ? ALONE : TOGETHER;
    this.#spare = isAlone ? [] : undefined;
  }

  get endBytes(): number {
    return this.#endBytes;
  }

  /** What lies before this has been let go. */
  get startBytes(): number {
    return this.#startBytes;
  }

  /** Takes lent bytes. @returns false: enough for now. */
  push(lent: Buffer): boolean {
    if (!this.#spare) return this.take(Buffer.from(lent));
    for (let at = 0; at < lent.length;) at += this.#fill(lent.subarray(at), this.#spare);
    return this.#goesOn();
  }

  /** Takes bytes that nobody will write to any more; else as `push`. */
  take(bytes: Buffer): boolean {
    this.#chunks.push({ startBytes: this.#endBytes, memory: bytes, bytes });
    this.#endBytes += bytes.length;
    return this.#goesOn();
  }

  #goesOn(): boolean {
    this.#drop();
    this.#isFull = this.#isAhead;
    return !this.#isFull;
  }

  /**
   * The bytes from `at` on that have come; `lost` when they are gone, `undefined` when to come. Where
   * one reads alone, what was given before `at` may be written over from now on.
   */
  from(at: number): Buffer | 'lost' | undefined {
    if (at < this.#startBytes) return 'lost';
    this.#foremostBytes = Math.max(this.#foremostBytes, at);
    this.#drop();
    if (this.#isFull && !this.#isAhead) {
      this.#isFull = false;
      this.#wanted();
    }
    const chunk = this.#chunks.find(
      ({ startBytes, bytes }) => startBytes <= at && at < startBytes + bytes.length,
    );
    return chunk?.bytes.subarray(at - chunk.startBytes);
  }

  get #isAhead(): boolean {
    return this.#endBytes - this.#foremostBytes > this.#window.aheadBytes;
  }

  #drop(): void {
    const keptFrom = this.#foremostBytes - this.#window.behindBytes;
    for (let first = this.#chunks[0]; first; first = this.#chunks[0]) {
      const end = first.startBytes + first.bytes.length;
      if (end > keptFrom) return;
      this.#chunks.shift();
      this.#startBytes = end;
      this.#spare?.push(first.memory);
    }
  }

  /**
   * Copies what has room behind the last chunk: where bytes come in small pieces, as many chunks
   * would take many times their memory. @returns how many bytes those were.
   */
  #fill(lent: Buffer, spare: Buffer[]): number {
    const last = this.#chunks.at(-1);
    const hasRoom = last !== undefined && last.bytes.length < last.memory.length;
    const chunk = hasRoom ? last : this.#begin(spare);
    const filledBytes = chunk.bytes.length;
    const copiedBytes = lent.copy(chunk.memory, filledBytes);
    chunk.bytes = chunk.memory.subarray(0, filledBytes + copiedBytes);
    this.#endBytes += copiedBytes;
    return copiedBytes;
  }

  #begin(spare: Buffer[]): Chunk {
    const memory = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const chunk = { startBytes: this.#endBytes, memory, bytes: memory.subarray(0, 0) };
    this.#chunks.push(chunk);
    return chunk;
  }
}
