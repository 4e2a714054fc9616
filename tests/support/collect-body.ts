import { createHash, type Hash } from 'node:crypto';
import type { AppError } from '#kernel/app-error';
import type { BodySink, UpstreamResponse } from '#upstream';

/** How a body came. */
export type Collected = {
  readonly text: string;
  readonly bytes: number;
  readonly md5: string;
  /** Calls of `chunk`. */
  readonly chunks: number;
  /** What `fail` was called with; absent when `end` was called. */
  readonly error: AppError | undefined;
};

/** Reads a body to its end or failure, as fast as it comes. */
export function collectBody(response: UpstreamResponse, keepText = true): Promise<Collected> {
  const collector = new Collector(keepText);
  response.read(collector);
  return collector.done;
}

class Collector implements BodySink {
  readonly #done = Promise.withResolvers<Collected>();
  readonly #hash: Hash = createHash('md5');
  readonly #parts: string[] = [];
  readonly #keepText: boolean;
  #bytes = 0;
  #chunks = 0;

  constructor(keepText: boolean) {
    this.#keepText = keepText;
  }

  get done(): Promise<Collected> {
    return this.#done.promise;
  }

  chunk(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    this.#chunks += 1;
    this.#hash.update(bytes);
    if (this.#keepText) this.#parts.push(bytes.toString('latin1'));
    return true;
  }

  end(): void {
    this.#finish(undefined);
  }

  fail(error: AppError): void {
    this.#finish(error);
  }

  #finish(error: AppError | undefined): void {
    this.#done.resolve({
      text: this.#parts.join(''),
      bytes: this.#bytes,
      md5: this.#hash.digest('hex'),
      chunks: this.#chunks,
      error,
    });
  }
}
