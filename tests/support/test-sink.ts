import type { ViewerSink } from '#relay';

/** A viewer whose network takes bytes only when told. */
export class TestSink implements ViewerSink {
  readonly got: Buffer[] = [];
  readonly #unflushed: { readonly bytes: number; readonly flushed: () => void }[] = [];
  isFast: boolean;

  constructor(isFast = true) {
    this.isFast = isFast;
  }

  get pendingBytes(): number {
    return this.#unflushed.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get gotBytes(): number {
    return this.got.reduce((sum, { length }) => sum + length, 0);
  }

  write(bytes: Buffer, flushed: () => void): void {
    this.got.push(Buffer.from(bytes));
    if (this.isFast) flushed();
    else this.#unflushed.push({ bytes: bytes.length, flushed });
  }

  drain(): void {
    for (const { flushed } of this.#unflushed.splice(0)) flushed();
  }
}
