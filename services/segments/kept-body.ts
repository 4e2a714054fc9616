import type { ByteBudget } from './byte-budget.ts';

/** What a body without a length begins with; it doubles as bytes come. */
const FIRST_BYTES = 256 * 1024;

/**
 * All bytes of one body in one piece of memory that was reserved beforehand. Whoever holds it
 * retains it; the memory is free when the last holder has released it.
 */
export class KeptBody {
  readonly #budget: ByteBudget;
  #memory: Buffer;
  #reservedBytes: number;
  #endBytes = 0;
  #holders = 1;

  private constructor(budget: ByteBudget, reservedBytes: number) {
    this.#budget = budget;
    this.#reservedBytes = reservedBytes;
    this.#memory = Buffer.allocUnsafeSlow(reservedBytes);
  }

  /** @returns nothing when there is no room for it. Its maker holds it. */
  static reserve(budget: ByteBudget, lengthBytes: number | undefined): KeptBody | undefined {
    const bytes = lengthBytes ?? FIRST_BYTES;
    // One body never takes all there is from the others.
    if (bytes > budget.limitBytes / 2 || !budget.reserve(bytes)) return undefined;
    return new KeptBody(budget, bytes);
  }

  /** Bytes that have come. */
  get endBytes(): number {
    return this.#endBytes;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Somebody else holds it too: letting go of it frees nothing yet. */
  get isShared(): boolean {
    return this.#holders > 1;
  }

  /** All that has come, as it stands; later bytes do not change it. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#endBytes);
  }

  /** Copies bytes in. @returns false when there is no room for them: nothing was taken then. */
  push(bytes: Buffer): boolean {
    const needed = this.#endBytes + bytes.length;
    if (needed > this.#memory.length && !this.#grow(needed)) return false;
    bytes.copy(this.#memory, this.#endBytes);
    this.#endBytes = needed;
    return true;
  }

  /** Gives back what was reserved and not needed. Call when all has come. */
  trim(): void {
    const spare = this.#reservedBytes - this.#endBytes;
    if (spare === 0) return;
    this.#memory = Buffer.from(this.bytes);
    this.#reservedBytes -= spare;
    this.#budget.release(spare);
  }

  retain(): void {
    this.#holders += 1;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#budget.release(this.#reservedBytes);
    this.#reservedBytes = 0;
    this.#memory = Buffer.alloc(0);
    this.#endBytes = 0;
  }

  #grow(needed: number): boolean {
    const size = Math.max(needed, this.#memory.length * 2);
    const more = size - this.#reservedBytes;
    if (size > this.#budget.limitBytes / 2 || !this.#budget.reserve(more)) return false;
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger);
    this.#memory = larger;
    this.#reservedBytes = size;
    return true;
  }
}
