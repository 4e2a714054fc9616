/** Viewings that are remembered; the one that was asked about longest ago goes first. */
const MAX_VIEWINGS = 16_384;

/** Viewings that began in time: their players ask again after the time to begin is over. */
export class BegunViewings {
  readonly #begun = new Set<string>();

  has(viewing: string): boolean {
    const isKnown = this.#begun.delete(viewing);
    if (isKnown) this.#begun.add(viewing);
    return isKnown;
  }

  add(viewing: string): void {
    this.#begun.delete(viewing);
    this.#begun.add(viewing);
    const [oldest] = this.#begun;
    if (this.#begun.size > MAX_VIEWINGS && oldest !== undefined) this.#begun.delete(oldest);
  }
}
