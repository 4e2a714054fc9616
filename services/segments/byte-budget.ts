/**
 * Bytes that all segments together may hold in memory: those under way, those kept, and those that
 * somebody still reads. Who wants more asks first, and gets an answer at once.
 */
export class ByteBudget {
  readonly limitBytes: number;
  readonly #makeRoom: (bytes: number) => void;
  #usedBytes = 0;

  /** @param makeRoom - Lets go of at least so many bytes, if it can, by `release`. */
  constructor(limitBytes: number, makeRoom: (bytes: number) => void) {
    this.limitBytes = limitBytes;
    this.#makeRoom = makeRoom;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** @returns false when there is no room, and none can be made: nothing is reserved then. */
  reserve(bytes: number): boolean {
    if (bytes > this.limitBytes) return false;
    const missing = this.#usedBytes + bytes - this.limitBytes;
    if (missing > 0) this.#makeRoom(missing);
    if (this.#usedBytes + bytes > this.limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
