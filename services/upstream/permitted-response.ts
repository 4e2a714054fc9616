import type { AppError } from '#kernel/app-error';
import type { ConnectionPermit } from './connection-allowance.ts';
import { placeLost } from './place-lost.ts';
import type { BodySink, UpstreamResponse } from './ports.ts';

/** A response that holds a place at its provider for as long as it is open, and no longer. */
export class PermittedResponse implements UpstreamResponse {
  readonly #inner: UpstreamResponse;
  readonly #permit: ConnectionPermit;
  readonly #lost = (): void => this.#lose();
  #sink: BodySink | undefined;

  constructor(inner: UpstreamResponse, permit: ConnectionPermit) {
    this.#inner = inner;
    this.#permit = permit;
    permit.lost.addEventListener('abort', this.#lost, { once: true });
    if (permit.lost.aborted) this.#lose();
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
  get burstMs(): number {
    return this.#inner.burstMs ?? 0;
  }
  get hasEnd(): boolean {
    return this.#inner.hasEnd ?? false;
  }

  read(sink: BodySink): void {
    if (this.#permit.lost.aborted) return sink.fail(placeLost());
    this.#sink = sink;
    this.#inner.read({
      chunk: (bytes) => sink.chunk(bytes),
      end: () => {
        this.#over();
        sink.end();
      },
      fail: (error: AppError) => {
        this.#over();
        sink.fail(error);
      },
      restart: () => sink.restart?.(),
    });
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    this.#inner.close();
    this.#over();
  }

  #over(): void {
    this.#sink = undefined;
    this.#permit.lost.removeEventListener('abort', this.#lost);
    this.#permit.release();
  }

  #lose(): void {
    const sink = this.#sink;
    this.close();
    sink?.fail(placeLost());
  }
}
