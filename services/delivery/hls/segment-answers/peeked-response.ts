import type { UpstreamError } from '#kernel/app-error';
import type { BodySink, UpstreamResponse } from '#upstream';

/** An upstream response whose first bytes have been looked at before anybody reads it. */
export class PeekedResponse implements UpstreamResponse {
  readonly #inner: UpstreamResponse;
  readonly #head = Promise.withResolvers<Buffer>();
  /** Kept for the reader: lent memory would be used again. */
  #first: Buffer | undefined;
  #outcome: { readonly error: UpstreamError | undefined } | undefined;
  #sink: BodySink | undefined;
  #minBytes = 1;

  constructor(inner: UpstreamResponse) {
    this.#inner = inner;
  }

  get status(): number {
    return this.#inner.status;
  }
  get headers(): ReadonlyMap<string, string> {
    return this.#inner.headers;
  }
  get finalUrl(): string {
    return this.#inner.finalUrl;
  }

  /** It has come to its end, and there was nothing in it. Known when `peek` has resolved. */
  get isEmpty(): boolean {
    return this.#first === undefined && this.#outcome !== undefined && !this.#outcome.error;
  }

  /**
   * The first bytes, at least so many unless the body ends or breaks off before. Call before
   * `read`. Waits as long as the source does: the caller has the deadline.
   */
  peek(minBytes = 1): Promise<Buffer> {
    this.#minBytes = minBytes;
    this.#inner.read({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => this.#over(undefined),
      fail: (error) => this.#over(error),
    });
    return this.#head.promise;
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    const first = this.#first;
    if (first === undefined || sink.chunk(first)) this.#goOn();
  }

  resume(): void {
    this.#goOn();
  }

  close(): void {
    this.#inner.close();
  }

  #chunk(bytes: Buffer): boolean {
    if (this.#sink) return this.#sink.chunk(bytes);
    this.#first = this.#first ? Buffer.concat([this.#first, bytes]) : Buffer.from(bytes);
    if (this.#first.length < this.#minBytes) return true;
    this.#head.resolve(this.#first);
    return false;
  }

  #goOn(): void {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    if (outcome) this.#tell(outcome.error);
    else this.#inner.resume();
  }

  #over(error: UpstreamError | undefined): void {
    this.#head.resolve(this.#first ?? Buffer.alloc(0));
    if (this.#sink) this.#tell(error);
    else this.#outcome = { error };
  }

  #tell(error: UpstreamError | undefined): void {
    if (error) this.#sink?.fail(error);
    else this.#sink?.end();
  }
}
