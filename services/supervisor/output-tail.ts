import type { Logger } from '#kernel/logger';

const KEPT_LINES = 3;

/** Follows what a child prints: all of it to the debug log, the last lines kept for its obituary. */
export class OutputTail {
  readonly #logger: Logger;
  readonly #lines: string[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Ends with the output; never rejects. */
  async follow(lines: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const line of lines) this.#take(String(line));
    } catch {
      // The child was ended in the middle of a line; how it ended is told elsewhere.
    }
  }

  text(): string {
    return this.#lines.join(' | ');
  }

  #take(line: string): void {
    this.#logger.debug('process said', { line });
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }
}
