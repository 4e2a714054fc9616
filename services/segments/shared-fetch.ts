import { UpstreamError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Timers } from '#kernel/clock';
import type { UpstreamResponse } from '#upstream';
import { BodyStore } from './body-store.ts';
import type { ByteBudget } from './byte-budget.ts';
import { type ByteSpan, continues, rangeFrom, spanOf } from './byte-span.ts';
import { ByteStall } from './byte-stall.ts';
import type { KeptBody } from './kept-body.ts';

/** Asks for the resource, with this `Range`, or as it was first asked for. */
export type OpenResource = (
  range: string | undefined,
  signal: AbortSignal,
) => Promise<UpstreamResponse>;

export type SharedFetchOptions = {
  readonly open: OpenResource;
  /** A source that sends nothing for this long has stalled. */
  readonly stallMs: number;
  readonly timers: Timers;
  readonly budget: ByteBudget;
  /** For one reader, and nobody will join it. */
  readonly isAlone?: boolean;
  /** Told once, when it is over, before any reader hears of it. */
  readonly concluded: (fetch: SharedFetch) => void;
};

/** What is known when the first bytes have come. */
export type FetchHead = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Absent with an error, and for a 206 that does not say what it is. */
  readonly span: ByteSpan | undefined;
  /** At most the first KiB of the body: what it is can be told by it. */
  readonly first: Buffer;
};

/** Second tries of one body; together they are over within about one target duration. */
const MAX_TRIES_AGAIN = 2;
const FIRST_BYTES = 1024;
const NOTHING = Buffer.alloc(0);

/**
 * One upstream request for all who want the same bytes. It goes at the pace of the source, whoever
 * reads; when the source breaks off, the rest is asked for. It is aborted when its last holder has
 * let go of it before its end.
 */
export class SharedFetch {
  readonly #options: SharedFetchOptions;
  readonly #opened = Promise.withResolvers<FetchHead>();
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  #response: UpstreamResponse | undefined;
  #head: FetchHead | undefined;
  #body: BodyStore | undefined;
  #stall: ByteStall | undefined;
  #holders = 0;
  #isTold = false;
  #isOver = false;
  #failure: AppError | undefined;

  constructor(options: SharedFetchOptions) {
    this.#options = options;
    // Who joined has its own view of it; that nobody did is no fault.
    this.#opened.promise.catch(() => {});
    void this.#run();
  }

  /** Resolves with the first bytes, or the end. @throws AppError when there are none to be had. */
  get opened(): Promise<FetchHead> {
    return this.#opened.promise;
  }

  get head(): FetchHead | undefined {
    return this.#head;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it is over, where that was not its end. */
  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** All bytes from the first are still there: whoever comes now misses nothing. */
  get isJoinable(): boolean {
    return (this.#body?.startBytes ?? 0) === 0;
  }

  get receivedBytes(): number {
    return this.#body?.endBytes ?? 0;
  }

  /** The bytes, where they are kept. */
  get kept(): KeptBody | undefined {
    return this.#body?.kept;
  }

  /** @returns how to let go of it again, idempotent. */
  hold(): () => void {
    this.#holders += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#leave();
    };
  }

  /** As {@link BodyStore.from}. */
  from(at: number): Buffer | 'lost' | undefined {
    return this.#body?.from(at);
  }

  /** Calls once when more bytes have come, or it is over. @returns how to wait no longer. */
  onMore(call: () => void): () => void {
    this.#waiting.add(call);
    return () => void this.#waiting.delete(call);
  }

  #leave(): void {
    // The last bytes may have been read before anybody said that they were the last.
    if (this.#lengthBytes !== undefined && !this.#isShort) this.#end(undefined);
    this.#abort.abort(new DOMException('Nobody waits for it.', 'AbortError'));
    this.#response?.close();
    if (!this.#isOver) this.#end(new UpstreamError('UPSTREAM_RESET', { message: 'Unwanted.' }));
    this.#body?.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    try {
      this.#response = await this.#options.open(undefined, signal);
      if (signal.aborted) return this.#response.close();
      await this.#receive(this.#response);
    } catch (error) {
      this.#end(toAppError(error));
    }
  }

  async #receive(response: UpstreamResponse): Promise<void> {
    const { status, headers } = response;
    const isError = status >= 300;
    const span = isError ? undefined : spanOf(response);
    this.#head = { status, headers, span, first: NOTHING };
    if (isError) {
      response.close();
      return this.#end(undefined);
    }
    const { budget, isAlone = false } = this.#options;
    const wanted = (): void => this.#goOn();
    this.#body = new BodyStore({ budget, lengthBytes: this.#lengthBytes, wanted, isAlone });
    let failure = await this.#pour(response, 0);
    for (let tries = 0; failure && tries < MAX_TRIES_AGAIN && !this.#isOver; tries += 1) {
      failure = await this.#again(failure);
    }
    this.#end(failure);
  }

  get #lengthBytes(): number | undefined {
    const span = this.#head?.span;
    return span?.last === undefined ? undefined : span.last - span.first + 1;
  }

  /** Asks for what is missing, or for the whole if it is still the same as far as it came. */
  async #again(failure: AppError): Promise<AppError | undefined> {
    const span = this.#head?.span;
    if (!span || failure.code === 'UPSTREAM_PROTOCOL') return failure;
    const next = span.first + this.receivedBytes;
    const range = this.receivedBytes === 0 ? undefined : rangeFrom(span, next);
    const rest = await this.#reopen(range);
    if (!rest) return failure;
    this.#response = rest;
    const knownBytes = this.#knownIn(rest, span);
    if (knownBytes !== undefined) return this.#pour(rest, knownBytes);
    rest.close();
    return failure;
  }

  /** How many bytes a second answer begins with that we have; nothing when it is another body. */
  #knownIn(rest: UpstreamResponse, span: ByteSpan): number | undefined {
    if (continues(span, span.first + this.receivedBytes, rest)) return 0;
    const isWhole = rest.status === 200 && span.first === 0 && continues(span, 0, rest);
    return isWhole && this.kept ? this.receivedBytes : undefined;
  }

  /** The first failure says more than that of the rescue. */
  async #reopen(range: string | undefined): Promise<UpstreamResponse | undefined> {
    const { signal } = this.#abort;
    try {
      const response = await this.#options.open(range, signal);
      if (!signal.aborted && response.status < 300) return response;
      response.close();
    } catch {
      // See above.
    }
    return undefined;
  }

  /** @param knownBytes - So many come a second time, and must be the same. */
  #pour(response: UpstreamResponse, knownBytes: number): Promise<AppError | undefined> {
    const { promise, resolve } = Promise.withResolvers<AppError | undefined>();
    const stall = new ByteStall(this.#options.timers, this.#options.stallMs, resolve);
    const leave = (): void => resolve(undefined);
    const { signal } = this.#abort;
    signal.addEventListener('abort', leave, { once: true });
    this.#stall = stall;
    let seenBytes = 0;
    stall.arm();
    response.read({
      chunk: (bytes) => {
        stall.disarm();
        const known = Math.min(bytes.length, Math.max(0, knownBytes - seenBytes));
        if (known > 0 && !this.#isKnown(bytes.subarray(0, known), seenBytes)) {
          resolve(changed());
          return false;
        }
        seenBytes += bytes.length;
        const goesOn = known === bytes.length || this.#take(bytes.subarray(known));
        if (goesOn) stall.arm();
        return goesOn;
      },
      end: () => resolve(this.#isShort ? truncated() : undefined),
      fail: resolve,
    });
    return promise.finally(() => {
      stall.stop();
      signal.removeEventListener('abort', leave);
      response.close();
    });
  }

  #isKnown(bytes: Buffer, at: number): boolean {
    return this.kept?.bytes.subarray(at, at + bytes.length).equals(bytes) ?? false;
  }

  #take(bytes: Buffer): boolean {
    const goesOn = this.#body?.push(bytes) ?? false;
    this.#tellOpened(bytes);
    this.#tellMore();
    return goesOn;
  }

  get #isShort(): boolean {
    const length = this.#lengthBytes;
    return length !== undefined && this.receivedBytes !== length;
  }

  /** A reader has made room again. */
  #goOn(): void {
    if (this.#isOver) return;
    this.#stall?.arm();
    this.#response?.resume();
  }

  #end(failure: AppError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    if (!failure) this.kept?.trim();
    this.#options.concluded(this);
    if (failure) this.#opened.reject(failure);
    else this.#tellOpened(NOTHING);
    this.#tellMore();
  }

  #tellOpened(first: Buffer): void {
    if (this.#isTold || !this.#head) return;
    this.#isTold = true;
    this.#head = { ...this.#head, first: Buffer.from(first.subarray(0, FIRST_BYTES)) };
    this.#opened.resolve(this.#head);
  }

  #tellMore(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) call();
  }
}

const truncated = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TRUNCATED', {
    message: "The provider's answer ended before all of it had come.",
  });

const changed = (): UpstreamError =>
  new UpstreamError('UPSTREAM_CHANGED', {
    message: 'The provider sends other bytes than at the first try.',
  });
