import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { SourceBook } from './source-book.ts';
import type { Source, SpareSource } from './viewing.ts';

export type SourceSpareOptions = {
  readonly source: Source;
  readonly book: SourceBook;
  readonly clock: Clock;
  /** A source failed; counted. */
  readonly erred: (error: AppError) => void;
  readonly closed: () => void;
};

/** A source beside the one in use. While it is tried after a cooldown, no other reader tries it. */
export class SourceSpare implements SpareSource {
  readonly source: Source;
  readonly #options: SourceSpareOptions;
  readonly #closing = new AbortController();
  #flowingSinceMs: number | undefined;

  /** @returns undefined while another reader tries this source. */
  static claim(options: SourceSpareOptions): SourceSpare | undefined {
    const spare = new SourceSpare(options);
    const admission = options.book.admit(options.source.url, spare.#closing.signal);
    return 'isAdmitted' in admission ? spare : undefined;
  }

  private constructor(options: SourceSpareOptions) {
    this.source = options.source;
    this.#options = options;
  }

  /** It gives media: it can take over. */
  get isFlowing(): boolean {
    return this.#flowingSinceMs !== undefined && !this.#closing.signal.aborted;
  }

  flowing(): void {
    const { book, clock } = this.#options;
    this.#flowingSinceMs ??= clock.monotonicMs();
    book.flowed(this.source.url);
  }

  failed(error: AppError): void {
    if (this.#closing.signal.aborted) return;
    const { book, clock, erred } = this.#options;
    const nowMs = clock.monotonicMs();
    erred(error);
    book.failed(this.source.url, error, nowMs - (this.#flowingSinceMs ?? nowMs));
    this.close();
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#options.closed();
  }
}
