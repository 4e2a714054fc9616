/** What happened in the last seconds of reading, one entry per second, oldest first. Bounded. */
export class Seconds<Entry> {
  readonly #most: number;
  readonly #begin: () => Entry;
  readonly #entries: Entry[] = [];
  #endMs = 1000;
  #present: Entry;

  constructor(most: number, begin: () => Entry) {
    this.#most = most;
    this.#begin = begin;
    this.#present = begin();
  }

  /** The second that is under way, to be added to. */
  get present(): Entry {
    return this.#present;
  }

  /** Seconds that are over. */
  get past(): readonly Entry[] {
    return this.#entries;
  }

  /** Closes the present second if it is over at `readMs`. @returns whether it was. */
  turn(readMs: number): boolean {
    if (readMs < this.#endMs) return false;
    this.#entries.push(this.#present);
    if (this.#entries.length > this.#most) this.#entries.shift();
    this.#present = this.#begin();
    // Looks come late now and then: a second is then a little longer, and the next one begins now.
    this.#endMs = readMs + 1000;
    return true;
  }
}
