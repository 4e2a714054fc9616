import type { LogFields, Logger } from '#kernel/logger';

type Level = 'debug' | 'info' | 'warn' | 'error';
type Line = { readonly level: Level; readonly message: string; readonly fields: LogFields };

/** A logger that keeps its lines, for tests to look at and to wait for. */
export class LogLines implements Logger {
  readonly lines: Line[] = [];
  #waiting: (() => void)[] = [];

  debug = this.#at('debug');
  info = this.#at('info');
  warn = this.#at('warn');
  error = this.#at('error');

  child(): Logger {
    return this;
  }

  /** The first line with this message; waits for it. */
  async next(message: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => line.message === message);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #at(level: Level) {
    return (message: string, fields: LogFields = {}): void => {
      this.lines.push({ level, message, fields });
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }
}
