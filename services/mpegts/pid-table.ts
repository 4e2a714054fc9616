const PIDS = 8192;

/** What is known of a few PIDs, found as fast as an array gives it. Takes no more than its bound. */
export class PidTable<T> {
  readonly #max: number;
  /** Per PID: 0, or one more than its place in `#values`. */
  readonly #slots = new Uint8Array(PIDS);
  readonly #values: T[] = [];

  /** @param max - At most 255. */
  constructor(max: number) {
    this.#max = max;
  }

  get values(): readonly T[] {
    return this.#values;
  }

  get(pid: number): T | undefined {
    const slot = this.#slots[pid] ?? 0;
    return slot === 0 ? undefined : this.#values[slot - 1];
  }

  /** Does nothing when the table is full. */
  set(pid: number, value: T): void {
    const slot = this.#slots[pid] ?? 0;
    if (slot > 0) this.#values[slot - 1] = value;
    else if (this.#values.length < this.#max) this.#slots[pid] = this.#values.push(value);
  }
}
