import type { UpstreamError } from '#kernel/app-error';
import type { BodySink, FetchPermit, UpstreamResponse } from '#upstream';

/** A response that holds a place at its provider for as long as it is open. */
export class PermittedResponse implements UpstreamResponse {
  readonly #inner: UpstreamResponse;
  readonly #permit: FetchPermit;

  constructor(inner: UpstreamResponse, permit: FetchPermit) {
    this.#inner = inner;
    this.#permit = permit;
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

  read(sink: BodySink): void {
    this.#inner.read({
      chunk: (bytes) => sink.chunk(bytes),
      end: () => {
        this.#permit.release();
        sink.end();
      },
      fail: (error: UpstreamError) => {
        this.#permit.release();
        sink.fail(error);
      },
    });
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    this.#inner.close();
    this.#permit.release();
  }
}
