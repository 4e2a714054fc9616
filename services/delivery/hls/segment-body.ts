import type { Writable } from 'node:stream';
import { UpstreamError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Timer, Timers } from '#kernel/clock';
import type { UpstreamResponse } from '#upstream';
import { continues, rangeFrom, spanOf } from './byte-span.ts';

export type SegmentBodyOptions = {
  readonly response: UpstreamResponse;
  /** Asks for the same resource again, with this `Range`, or whole. */
  readonly reopen: (range: string | undefined, signal: AbortSignal) => Promise<UpstreamResponse>;
  /** A source that sends nothing for this long has stalled. */
  readonly stallMs: number;
  readonly timers: Timers;
  readonly served: (bytes: number) => void;
};

/**
 * Carries one resource from its source to a viewer. When the source breaks off, the rest is asked
 * for once, from the very next byte, and taken only if it is of the same version.
 */
export class SegmentBody {
  readonly #options: SegmentBodyOptions;
  #response: UpstreamResponse;
  #sentBytes = 0;

  constructor(options: SegmentBodyOptions) {
    this.#options = options;
    this.#response = options.response;
  }

  /**
   * Sends all bytes and ends `outlet`; or destroys it, so that a part is never taken for the whole.
   * @param signal - Ends the transfer at once.
   * @returns what went wrong, if anything. Never rejects.
   */
  async pipeTo(outlet: Writable, signal: AbortSignal): Promise<AppError | undefined> {
    const stop = (): void => this.#response.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const failure = await this.#send(outlet, signal);
      if (failure || signal.aborted) outlet.destroy();
      else outlet.end();
      return failure;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#response.close();
    }
  }

  async #send(outlet: Writable, signal: AbortSignal): Promise<AppError | undefined> {
    const failure = await this.#pour(outlet, signal);
    if (!failure || signal.aborted) return failure;
    const isReopened = await this.#reopen(failure, signal);
    return isReopened ? this.#pour(outlet, signal) : failure;
  }

  async #reopen(failure: AppError, signal: AbortSignal): Promise<boolean> {
    const { response, reopen } = this.#options;
    const span = spanOf(response);
    if (!span || failure.code === 'UPSTREAM_PROTOCOL') return false;
    const next = span.first + this.#sentBytes;
    try {
      const rest = await reopen(next === 0 ? undefined : rangeFrom(span, next), signal);
      this.#response = rest;
      return continues(span, next, rest);
    } catch {
      return false; // The first failure says more than that of the rescue.
    }
  }

  /** Reads one response to its end. Resolves with what went wrong, if anything. */
  #pour(outlet: Writable, signal: AbortSignal): Promise<AppError | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const response = this.#response;
      const { stallMs, timers, served } = this.#options;
      let stalled: Timer | undefined;
      const finish = (failure?: AppError): void => {
        stalled?.cancel();
        signal.removeEventListener('abort', leave);
        response.close();
        resolve(failure);
      };
      const leave = (): void => finish();
      const wait = (): void => {
        stalled = timers.after(stallMs, () => finish(stall()));
      };
      signal.addEventListener('abort', leave, { once: true });
      wait();
      response.read({
        chunk: (bytes) => {
          stalled?.cancel();
          this.#sentBytes += bytes.length;
          served(bytes.length);
          // The memory is lent until `resume`: only when it has reached the socket may it go back.
          outlet.write(bytes, (error) => {
            if (error) return finish(toAppError(error));
            wait();
            response.resume();
          });
          return false;
        },
        end: () => finish(),
        fail: (error) => finish(error),
      });
    });
  }
}

const stall = (): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', { message: 'The source has stopped sending.' });
