import type { Move } from './source-cursor.ts';
import type { SwitchSnapshot } from './snapshots.ts';
import type { SwitchTiming } from './viewing.ts';

const KEPT = 10;

export type SwitchLogOptions = {
  readonly nowMs: () => number;
  /** A switch is over; its timing, where somebody could measure it. */
  readonly tell: (move: Move, timing: SwitchTiming | undefined) => void;
};

/**
 * The switches of source of one stream: the last ones, and the one of which no media has come yet.
 * A switch is told when the new source's first media comes, so that its gap is known; where nobody
 * had a picture there is no gap, and it is told at once.
 */
export class SwitchLog {
  readonly #options: SwitchLogOptions;
  /** Who has a picture and would notice a gap. */
  readonly #watching = new Set<object>();
  readonly #kept: SwitchSnapshot[] = [];
  #pending: Move | undefined;

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
    if (this.#watching.size === 0) this.settle();
  }

  moved(move: Move): void {
    this.settle();
    this.#kept.push({
      atMs: this.#options.nowMs(),
      fromIndex: move.oldIndex,
      toIndex: move.index,
      reason: move.reason,
      gapMs: null,
      detectionMs: null,
      connectMs: null,
    });
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#pending = move;
    if (this.#watching.size === 0) this.settle();
  }

  /** The switch is over: media has come, or none will. Harmless when nothing is pending. */
  settle(timing?: SwitchTiming): void {
    const move = this.#pending;
    if (move === undefined) return;
    this.#pending = undefined;
    const last = this.#kept.pop();
    if (last !== undefined) this.#kept.push({ ...last, ...timing });
    this.#options.tell(move, timing);
  }
}
