import type { ViewerSink } from '#relay';

/** A viewer whose network takes bytes only when told. */
export class TestSink implements ViewerSink {
  readonly got: Buffer[] = [];
  writes = 0;
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

  write(parts: readonly Buffer[], flushed: () => void = () => {}): void {
    this.writes += 1;
    this.got.push(...parts.map((part) => Buffer.from(part)));
    if (this.isFast) flushed();
    else this.#unflushed.push({ bytes: Buffer.concat(parts).length, flushed });
  }

  drain(): void {
    for (const { flushed } of this.#unflushed.splice(0)) flushed();
  }
}
