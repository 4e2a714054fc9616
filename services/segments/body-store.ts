import type { ByteBudget } from './byte-budget.ts';
import { KeptBody } from './kept-body.ts';
import { PassingBody } from './passing-body.ts';

export type BodyStoreOptions = {
  readonly budget: ByteBudget;
  /** Of the whole body, where it was said. */
  readonly lengthBytes: number | undefined;
  /** Called when there is room again after `push` has said false. */
  readonly wanted: () => void;
  /** One reader has it to itself: nothing of it is kept. */
  readonly isAlone?: boolean;
};

/**
 * The bytes of one body under way: kept whole while there is room for them, and passing by where
 * there is none. Bytes are counted from the body's first, as 0.
 */
export class BodyStore {
  readonly #wanted: () => void;
  #kept: KeptBody | undefined;
  #passing: PassingBody | undefined;

  constructor({ budget, lengthBytes, wanted, isAlone = false }: BodyStoreOptions) {
    this.#wanted = wanted;
    this.#kept = isAlone ? undefined : KeptBody.reserve(budget, lengthBytes);
    if (!this.#kept) this.#passing = new PassingBody(wanted, { isAlone });
  }

  get endBytes(): number {
    return this.#passing?.endBytes ?? this.#kept?.endBytes ?? 0;
  }

  /** Everything from here on is still there. */
  get startBytes(): number {
    return this.#passing?.startBytes ?? 0;
  }

  /** All bytes so far, while they are kept. */
  get kept(): KeptBody | undefined {
    return this.#passing ? undefined : this.#kept;
  }

  /** Takes lent bytes. @returns false: enough for now. */
  push(bytes: Buffer): boolean {
    if (this.#passing) return this.#passing.push(bytes);
    if (this.#kept?.push(bytes)) return true;
    // No room is left for all of it. What has come goes on as the first of what passes.
    this.#passing = new PassingBody(this.#wanted);
    if (this.#kept) this.#passing.take(this.#kept.bytes);
    return this.#passing.push(bytes);
  }

  /** As {@link PassingBody.from}. */
  from(at: number): Buffer | 'lost' | undefined {
    if (!this.#passing) {
      const bytes = this.#kept?.bytes.subarray(at);
      return bytes?.length === 0 ? undefined : bytes;
    }
    const found = this.#passing.from(at);
    if (this.#passing.startBytes > 0) this.#releaseKept();
    return found;
  }

  /** Lets go of everything. Idempotent. */
  close(): void {
    this.#releaseKept();
  }

  #releaseKept(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept && !this.#passing) this.#passing = new PassingBody(() => {});
    kept?.release();
  }
}
