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

/** Where bytes go: a response, whose socket can be told to wait no longer. */
export type Outlet = Writable & { readonly socket?: { uncork(): void } | null };

/**
 * Carries one resource from its source to a viewer. When the source breaks off, the rest is asked
 * for once, from the very next byte, and taken only if it is of the same version.
 */
export class SegmentBody {
  readonly #options: SegmentBodyOptions;
  #response: UpstreamResponse;
  #sentBytes = 0;
  #writes = 0;

  constructor(options: SegmentBodyOptions) {
    this.#options = options;
    this.#response = options.response;
  }

  /**
   * Sends all bytes and ends `outlet`; or destroys it, so that a part is never taken for the whole.
   * @param signal - Ends the transfer at once.
   * @returns what went wrong, if anything. Never rejects.
   */
  async pipeTo(outlet: Outlet, signal: AbortSignal): Promise<AppError | undefined> {
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

  async #send(outlet: Outlet, signal: AbortSignal): Promise<AppError | undefined> {
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
  #pour(outlet: Outlet, signal: AbortSignal): Promise<AppError | undefined> {
    const { promise, resolve } = Promise.withResolvers<AppError | undefined>();
    if (signal.aborted) return Promise.resolve(undefined);
    const response = this.#response;
    const watch = this.#watchStall(resolve);
    const leave = (): void => resolve(undefined);
    signal.addEventListener('abort', leave, { once: true });
    const flushed = (error?: Error | null): void => {
      if (error) return resolve(toAppError(error));
      watch.arm();
      response.resume();
    };
    watch.arm();
    response.read({
      chunk: (bytes) => {
        watch.disarm();
        const isFree = this.#write(outlet, bytes, flushed);
        if (isFree) watch.arm();
        return isFree;
      },
      end: () => resolve(undefined),
      fail: (error) => resolve(error),
    });
    return promise.finally(() => {
      watch.stop();
      signal.removeEventListener('abort', leave);
      response.close();
    });
  }

  /** @returns true when the memory is free again; otherwise `flushed` is called when it is. */
  #write(outlet: Outlet, bytes: Buffer, flushed: (error?: Error | null) => void): boolean {
    this.#sentBytes += bytes.length;
    this.#options.served(bytes.length);
    this.#writes += 1;
    const write = this.#writes;
    outlet.write(bytes, (error) => {
      // An earlier write's callback may come late, when memory of a later one is still lent.
      if (write === this.#writes) flushed(error);
    });
    // Node corks a response until the next tick; sent at once, the memory is mostly free again.
    outlet.socket?.uncork();
    return outlet.writableLength === 0;
  }

  /** Time runs only while we wait for the source, not while the viewer is the slow side. */
  #watchStall(stalled: (error: AppError) => void) {
    const { timers, stallMs } = this.#options;
    let timer: Timer | undefined;
    let isOver = false;
    const disarm = (): void => timer?.cancel();
    const arm = (): void => {
      disarm();
      if (!isOver) timer = timers.after(stallMs, () => stalled(stall()));
    };
    const stop = (): void => {
      isOver = true;
      disarm();
    };
    return { arm, disarm, stop };
  }
}

const stall = (): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', { message: 'The source has stopped sending.' });
