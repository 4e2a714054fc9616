import { shownLine } from './diagnosis.ts';

const FIRST_LINES = 30;
const LAST_LINES = 30;

/** What a run has said: its first lines, which tell of input and output, and its last. */
export class RunLines {
  readonly #first: string[] = [];
  readonly #last: string[] = [];

  take(line: string): void {
    const shown = shownLine(line);
    if (shown.trim() === '') return;
    if (this.#first.length < FIRST_LINES) {
      this.#first.push(shown);
      return;
    }
    this.#last.push(shown);
    if (this.#last.length > LAST_LINES) this.#last.shift();
  }

  get all(): readonly string[] {
    return [...this.#first, ...this.#last];
  }
}
