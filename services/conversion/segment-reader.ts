import { createDecipheriv } from 'node:crypto';
import type { Decipheriv } from 'node:crypto';
import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Timer, Timers } from '#kernel/clock';
import { ivOfSequence } from '#hls';
import type { ListedKey, ListedResource } from '#hls';
import type { UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';
import { SpanTaker } from './span-taker.ts';

/** Takes bytes, lent until the promise resolves; at once where none is returned. */
export type TakeBytes = (bytes: Buffer) => Promise<void> | undefined;

/** A segment or an init section. */
export type SegmentToRead = ListedResource & {
  readonly key: ListedKey | undefined;
  readonly sequence: number;
};

export type SegmentReaderOptions = {
  readonly upstream: UpstreamClient;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: UpstreamTimeouts;
  /** A body that is silent for this long has stalled. */
  readonly stallMs: () => number;
  readonly timers: Timers;
};

const KEY_BYTES = 16;

/** Reads resources of a playlist one after the other: one connection at a time, nothing kept. */
export class SegmentReader {
  readonly #options: SegmentReaderOptions;
  #key: { readonly url: string; readonly bytes: Buffer } | undefined;

  constructor(options: SegmentReaderOptions) {
    this.#options = options;
  }

  /**
   * Hands a resource on while it arrives, decrypted. When it breaks off, the rest is asked for
   * once, from the very next byte.
   * @throws UpstreamError, MediaError: it could not be had whole; a part may have been handed on.
   */
  async read(segment: SegmentToRead, take: TakeBytes, signal: AbortSignal): Promise<void> {
    const decipher = await this.#decipherOf(segment, signal);
    const taker = new SpanTaker(segment.span);
    const handOn: TakeBytes = decipher ? (bytes) => take(decipher.update(bytes)) : take;
    try {
      await this.#pour({ segment, taker, take: handOn }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UpstreamError) || error.code === 'UPSTREAM_STATUS') throw error;
      await this.#pour({ segment, taker, take: handOn }, signal);
    }
    if (decipher) await take(lastOf(decipher));
  }

  async #pour(
    { segment, taker, take }: { segment: SegmentToRead; taker: SpanTaker; take: TakeBytes },
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#open(segment.url, taker.range, signal);
    taker.begin(response.status === 206);
    try {
      await this.#body(response, (bytes) => taker.take(bytes, take), () => taker.isDone, signal);
    } finally {
      response.close();
    }
  }

  async #open(
    url: string,
    range: string | undefined,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const { upstream, timeouts } = this.#options;
    const headers = { ...this.#options.headers, ...(range === undefined ? {} : { Range: range }) };
    const response = await upstream.open({ method: 'GET', url, headers, timeouts }, signal);
    if (response.status === 200 || response.status === 206) return response;
    response.close();
    throw new UpstreamError('UPSTREAM_STATUS', {
      message: `The source answered with status ${response.status}.`,
      details: { status: response.status, stage: 'segment' },
    });
  }

  #body(
    response: UpstreamResponse,
    take: TakeBytes,
    isDone: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { timers, stallMs } = this.#options;
    let timer: Timer | undefined;
    const wait = (): void => {
      timer = timers.after(stallMs(), () => reject(stalled()));
    };
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const chunk = (bytes: Buffer): boolean => {
      timer?.cancel();
      const taken = take(bytes);
      if (taken === undefined) {
        if (isDone()) resolve();
        else wait();
        return true;
      }
      taken.then(() => {
        if (isDone()) return resolve();
        wait();
        response.resume();
      }, reject);
      return false;
    };
    wait();
    response.read({ chunk, end: resolve, fail: reject });
    return promise.finally(() => {
      timer?.cancel();
      signal.removeEventListener('abort', leave);
    });
  }

  async #decipherOf(
    { key, sequence }: SegmentToRead,
    signal: AbortSignal,
  ): Promise<Decipheriv | undefined> {
    if (key === undefined) return undefined;
    const bytes = await this.#keyAt(key.url, signal);
    return createDecipheriv('aes-128-cbc', bytes, key.iv ?? ivOfSequence(sequence));
  }

  async #keyAt(url: string, signal: AbortSignal): Promise<Buffer> {
    if (this.#key?.url === url) return this.#key.bytes;
    const parts: Buffer[] = [];
    let size = 0;
    const take = (bytes: Buffer): undefined => {
      size += bytes.length;
      if (size <= KEY_BYTES) parts.push(Buffer.from(bytes));
    };
    const response = await this.#open(url, undefined, signal);
    try {
      await this.#body(response, take, () => size > KEY_BYTES, signal);
    } finally {
      response.close();
    }
    if (size !== KEY_BYTES) throw unreadable('The key of the source has a wrong length.');
    this.#key = { url, bytes: Buffer.concat(parts) };
    return this.#key.bytes;
  }
}

function lastOf(decipher: Decipheriv): Buffer {
  try {
    return decipher.final();
  } catch {
    // What does not end with padding was cut, or encrypted with another key.
    throw unreadable('The source is encrypted in another way than it says.');
  }
}

const unreadable = (message: string): AppError => new MediaError('UPSTREAM_WRONG_TYPE', { message });

const stalled = (): UpstreamError =>
  new UpstreamError('UPSTREAM_STALLED', {
    message: 'A segment of the source has stopped coming.',
    details: { stage: 'segment' },
  });
