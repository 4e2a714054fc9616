import { errorWord } from '#kernel/error-word';
import type { SwitchSnapshot } from './snapshots.ts';
import type { Move } from './source-cursor.ts';
import type { SwitchTiming } from './viewing.ts';

const KEPT = 10;

/** A switch as it is told: where it began, where it ended, and what was tried in between. */
export type Switch = Move & {
  /** Sources that were moved to since, and gave nothing. */
  readonly failedTries: number;
};

export type SwitchLogOptions = {
  readonly nowMs: () => number;
  /** A switch is over; its timing, where somebody could measure it. */
  readonly tell: (change: Switch, timing: SwitchTiming | undefined) => void;
};

/**
 * The switches of source of one stream: the last ones, and the one of which no media has come yet.
 * A switch happens when the source that was moved to gives media: however many were tried in vain,
 * it is one. Nor is it one when the source that had failed is the first to give media again: that
 * is kept, and not told.
 */
export class SwitchLog {
  readonly #options: SwitchLogOptions;
  /** Who has a picture. */
  readonly #watching = new Set<object>();
  readonly #kept: SwitchSnapshot[] = [];
  #pending: Switch | undefined;

  constructor(options: SwitchLogOptions) {
    this.#options = options;
  }

  /** The last switches, oldest first. */
  get kept(): readonly SwitchSnapshot[] {
    return [...this.#kept];
  }

  watching(reader: object): void {
    this.#watching.add(reader);
  }

  left(reader: object): void {
    this.#watching.delete(reader);
  }

  moved(move: Move): void {
    const before = this.#pending;
    this.#pending = before === undefined ? { ...move, failedTries: 0 } : goneOn(before, move);
    this.#keep(this.#pending, before === undefined);
    // What an app moves while nobody watches is moved: no media need come of it.
    if (move.cause === 'manual' && this.#watching.size === 0) this.settle();
  }

  /** Media has come from the source in use. Harmless when nothing is pending. */
  settle(timing?: SwitchTiming): void {
    const change = this.#pending;
    if (change === undefined) return;
    this.#pending = undefined;
    const last = this.#kept.pop();
    if (last !== undefined) this.#kept.push({ ...last, ...timing });
    const isReturned = change.oldUrl === change.newUrl && change.oldIndex === change.index;
    if (!isReturned) this.#options.tell(change, timing);
  }

  /** The stream begins anew: what it was at does not matter any more. */
  forget(): void {
    this.#pending = undefined;
  }

  #keep({ oldIndex, index, reason, cause, failedTries }: Switch, isNew: boolean): void {
    const before = isNew ? undefined : this.#kept.pop();
    this.#kept.push({
      atMs: before?.atMs ?? this.#options.nowMs(),
      fromIndex: oldIndex,
      toIndex: index,
      reason,
      cause: errorWord(cause),
      failedTries,
      gapMs: null,
      detectionMs: null,
      connectMs: null,
    });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }
}

/** The source that was moved to gave nothing either: why the first was left is what counts. */
const goneOn = (before: Switch, { newUrl, index, attempt }: Move): Switch => ({
  ...before,
  newUrl,
  index,
  attempt,
  failedTries: before.failedTries + 1,
});
