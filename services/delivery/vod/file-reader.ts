import { type AppError, UpstreamError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { BodySink, UpstreamResponse } from '#upstream';
import { ReadDeadline } from './read-deadline.ts';

export type FileReaderOptions = {
  readonly response: UpstreamResponse;
  /** Bytes to leave out at the beginning. */
  readonly skipBytes: number;
  /** How long the source may be silent while it is waited for. */
  readonly readTimeoutMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** Takes bytes in lent memory; false to hear no more until `resume`. */
export type TakeBytes = (bytes: Buffer) => boolean;

/**
 * Reads the body of one answer. Its first bytes are held until `flow`, so that a source that has a
 * head but no body can still be left for another.
 */
export class FileReader implements BodySink {
  readonly #response: UpstreamResponse;
  readonly #deadline: ReadDeadline;
  readonly #started = Promise.withResolvers<Buffer>();
  readonly #ended = Promise.withResolvers<AppError | undefined>();
  #skipBytes: number;
  #held: Buffer | undefined;
  #take: TakeBytes | undefined;
  #isPaused = false;
  #isClosed = false;

  constructor({ response, skipBytes, readTimeoutMs, clock, timers }: FileReaderOptions) {
    this.#response = response;
    this.#skipBytes = skipBytes;
    this.#deadline = new ReadDeadline({
      limitMs: readTimeoutMs,
      clock,
      timers,
      expired: () => this.#over(stalled()),
    });
    this.#started.promise.catch(() => {}); // A reader may be closed before anybody asks.
    response.read(this);
  }

  /** The first bytes, held; rejects with the failure when none come. */
  get started(): Promise<Buffer> {
    return this.#started.promise;
  }

  /** Passes everything on; resolves with the failure, or with nothing when the body is complete. */
  flow(take: TakeBytes): Promise<AppError | undefined> {
    const held = this.#held;
    this.#held = undefined;
    this.#take = take;
    this.#isPaused = held !== undefined;
    if (held === undefined || take(held)) this.resume();
    return this.#ended.promise;
  }

  /** Goes on after `take` said false. Harmless otherwise. */
  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#deadline.resume();
    this.#response.resume();
  }

  /** Closes the connection at once. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#held = undefined;
    this.#deadline.pause();
    this.#response.close();
  }

  chunk(bytes: Buffer): boolean {
    this.#deadline.heard();
    const wanted = bytes.subarray(this.#skipBytes);
    this.#skipBytes -= bytes.length - wanted.length;
    if (wanted.length === 0) return true;
    if (this.#take === undefined) return this.#hold(wanted);
    if (this.#take(wanted)) return true;
    this.#deadline.pause();
    this.#isPaused = true;
    return false;
  }

  end(): void {
    this.#over(undefined);
  }

  fail(error: UpstreamError): void {
    this.#over(error);
  }

  #hold(bytes: Buffer): boolean {
    this.#deadline.pause();
    this.#held = bytes;
    this.#started.resolve(bytes);
    return false;
  }

  #over(failure: AppError | undefined): void {
    this.close();
    this.#started.reject(failure ?? empty());
    this.#ended.resolve(failure);
  }
}

const stalled = (): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', { message: 'The source has stopped sending.' });

const empty = (): UpstreamError =>
  new UpstreamError('UPSTREAM_ENDED', { message: 'The source sent an empty file.' });
