/** A single bad segment happens; as many different ones in a row say that the source is bad. */
const BAD_IN_A_ROW = 2;

/** Counts failed segments of the source in use. Pure bookkeeping; whoever asks acts. */
export class SegmentHealth {
  readonly #failed = new Set<string>();

  /** Failures are outstanding: a good playlist alone does not make the source good. */
  get isInDoubt(): boolean {
    return this.#failed.size > 0;
  }

  succeeded(): void {
    this.#failed.clear();
  }

  /** @returns true when it is time to leave the source; counting then starts anew. */
  failed(url: string): boolean {
    this.#failed.add(url);
    if (this.#failed.size < BAD_IN_A_ROW) return false;
    this.#failed.clear();
    return true;
  }
}
