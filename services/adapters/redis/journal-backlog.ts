import type { StateChange } from '#streams';

/** One call's changes on their way into Redis. */
export type JournalEntry = {
  changes: readonly StateChange[];
  /** Present for a commit: somebody waits for the outcome. */
  readonly outcome?: { resolve(): void; reject(error: unknown): void };
};

/** How much of the bound is freed at once, so that a full backlog is not searched per call. */
const DROP_SHARE = 0.01;

/**
 * What is not written yet, first in first out, within a bound of changes.
 *
 * Over the bound, facts that change no record go first, oldest first; then whole entries.
 * Commits are never dropped: their callers wait, so their deadlines bound them.
 */
export class JournalBacklog {
  readonly #limit: number;
  #entries: JournalEntry[] = [];
  #head = 0;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Changes kept. */
  get size(): number {
    return this.#size;
  }

  /** Adds to the end; returns how many changes were dropped to make room. */
  push(entry: JournalEntry): number {
    this.#entries.push(entry);
    this.#size += entry.changes.length;
    return this.#size > this.#limit ? this.#makeRoom() : 0;
  }

  /** Takes the oldest entry out. */
  shift(): JournalEntry | undefined {
    while (this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head++];
      if (this.#head > 1024 && this.#head * 2 > this.#entries.length) this.#keep(this.#waiting());
      if (!entry || entry.changes.length === 0) continue;
      this.#size -= entry.changes.length;
      return entry;
    }
    return undefined;
  }

  /** Puts entries back before all others, in their order; returns as `push` does. */
  unshift(entries: readonly JournalEntry[]): number {
    this.#keep([...entries, ...this.#waiting()]);
    return this.#size > this.#limit ? this.#makeRoom() : 0;
  }

  /** Empties one entry, wherever it is; it will not be given out any more. */
  forget(entry: JournalEntry): void {
    if (this.#entries.includes(entry, this.#head)) this.#size -= entry.changes.length;
    entry.changes = [];
  }

  #waiting(): JournalEntry[] {
    return this.#entries.slice(this.#head);
  }

  #keep(entries: readonly JournalEntry[]): void {
    this.#entries = entries.filter((entry) => entry.changes.length > 0);
    this.#head = 0;
    this.#size = this.#entries.reduce((sum, entry) => sum + entry.changes.length, 0);
  }

  #makeRoom(): number {
    const before = this.#size;
    const target = Math.floor(this.#limit * (1 - DROP_SHARE));
    this.#drop(before - target, isFact);
    this.#drop(this.#size - target, () => true);
    return before - this.#size;
  }

  #drop(surplus: number, isExpendable: (change: StateChange) => boolean): void {
    let left = surplus;
    for (const entry of this.#waiting()) {
      if (left <= 0) break;
      if (entry.outcome) continue;
      const changes = entry.changes.filter((change) => !isExpendable(change));
      left -= entry.changes.length - changes.length;
      entry.changes = changes;
    }
    this.#keep(this.#waiting());
  }
}

/** Nobody's record depends on it. */
const isFact = ({ kind }: StateChange): boolean => kind === 'noted' || kind === 'moved';
